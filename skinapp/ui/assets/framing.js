// A square frame over a whole photo: drag, corners, wheel, pinch, slider and keys. All lengths are the photo's pixels.
// The server hears of the frame once the visitor pauses or turns to something else, so that moving it stays smooth.
const PAUSE_MS = 400;
const STEP = 0.02;
const LEAP = 0.1;
const ZOOM = 1.08;

const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

export default function ({ data, parentElement, setStateValue, setTriggerValue }) {
  const find = (selector) => parentElement.querySelector(selector);
  const [root, stage, photo, frame] = [".framing", ".stage", ".photo", ".frame"].map(find);
  const [seen, slider, said] = [".seen", "input", ".said"].map(find);
  const shortest = Math.min(data.width, data.height);
  const least = Math.min(data.least, shortest);
  if (root.photoId === data.id) return root.tidyUp;
  root.photoId = data.id;
  root.tidyUp?.();

  let square = data.square;
  let pause = null;
  let pinch = null;
  const pointers = new Map();
  const scale = () => data.width / stage.clientWidth;

  const draw = () => {
    const percent = (length, of) => `${(100 * length) / of}%`;
    frame.style.left = percent(square.left, data.width);
    frame.style.top = percent(square.top, data.height);
    frame.style.width = percent(square.side, data.width);
    frame.style.height = percent(square.side, data.height);
    const place = (start, length) => (length === square.side ? "0%" : percent(start, length - square.side));
    seen.style.backgroundSize = `${(100 * data.width) / square.side}% ${(100 * data.height) / square.side}%`;
    seen.style.backgroundPosition = `${place(square.left, data.width)} ${place(square.top, data.height)}`;
    slider.value = least === shortest ? 0 : (100 * Math.log(shortest / square.side)) / Math.log(shortest / least);
  };
  const tell = () => {
    if (pause === null) return;
    clearTimeout(pause);
    pause = null;
    said.textContent =
      `The frame is ${Math.round((100 * square.side) / shortest)}% of the photo's short side, ` +
      `${Math.round((100 * square.left) / data.width)}% from the left and ${Math.round((100 * square.top) / data.height)}% from the top.`;
    setStateValue("square", { id: data.id, ...square });
  };
  const put = (left, top, side) => {
    side = Math.round(clamp(side, least, shortest));
    const next = {
      left: Math.round(clamp(left, 0, data.width - side)),
      top: Math.round(clamp(top, 0, data.height - side)),
      side,
    };
    if (next.left === square.left && next.top === square.top && next.side === square.side) return;
    square = next;
    draw();
    clearTimeout(pause);
    pause = setTimeout(tell, PAUSE_MS);
  };
  const move = (across, down) => put(square.left + across, square.top + down, square.side);
  const zoom = (side) => {
    const sized = clamp(side, least, shortest);
    put(square.left + (square.side - sized) / 2, square.top + (square.side - sized) / 2, sized);
  };
  const go = (to) => put(to.left, to.top, to.side);

  const measurePinch = () => {
    const [one, other] = [...pointers.values()];
    return Math.hypot(one.x - other.x, one.y - other.y);
  };
  stage.onpointerdown = (event) => {
    if (event.button !== 0) return;
    const inFrame = event.target.closest(".frame");
    pointers.set(event.pointerId, { x: event.clientX, y: event.clientY, corner: event.target.dataset.corner, inFrame });
    stage.setPointerCapture(event.pointerId);
    if (pointers.size === 2) pinch = { apart: measurePinch(), side: square.side };
    frame.focus({ preventScroll: true });
    event.preventDefault();
  };
  stage.onpointermove = (event) => {
    const held = pointers.get(event.pointerId);
    if (!held) return;
    const [across, down] = [(event.clientX - held.x) * scale(), (event.clientY - held.y) * scale()];
    if (pointers.size === 2) {
      Object.assign(held, { x: event.clientX, y: event.clientY });
      zoom((pinch.side * pinch.apart) / Math.max(measurePinch(), 1));
      return;
    }
    if (!held.inFrame) return;
    held.start ??= square;
    const { left, top, side } = held.start;
    if (!held.corner) {
      put(left + across, top + down, side);
      return;
    }
    const [north, west] = [held.corner.includes("n"), held.corner.includes("w")];
    const room = Math.min(west ? left + side : data.width - left, north ? top + side : data.height - top);
    const sized = clamp(side + Math.max(west ? -across : across, north ? -down : down), least, room);
    put(west ? left + side - sized : left, north ? top + side - sized : top, sized);
  };
  stage.onpointerup = stage.onpointercancel = (event) => {
    pointers.delete(event.pointerId);
    for (const held of pointers.values()) held.start = undefined;
    pinch = null;
  };
  stage.ondblclick = () => go(data.whole);
  stage.onwheel = (event) => {
    const sized = square.side * ZOOM ** Math.sign(event.deltaY);
    if (clamp(sized, least, shortest) === square.side) return;
    event.preventDefault();
    zoom(sized);
  };
  slider.oninput = () => zoom(shortest * (least / shortest) ** (slider.value / 100));
  frame.onkeydown = (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = shortest * (event.shiftKey ? LEAP : STEP);
    const actions = {
      ArrowLeft: () => move(-step, 0),
      ArrowRight: () => move(step, 0),
      ArrowUp: () => move(0, -step),
      ArrowDown: () => move(0, step),
      "+": () => zoom(square.side / ZOOM),
      "=": () => zoom(square.side / ZOOM),
      "-": () => zoom(square.side * ZOOM),
      _: () => zoom(square.side * ZOOM),
      0: () => go(data.whole),
      Enter: () => {
        if (event.repeat) return;
        clearTimeout(pause);
        pause = null;
        setTriggerValue("assess", { id: data.id, ...square });
      },
    };
    if (!Object.hasOwn(actions, event.key)) return;
    event.preventDefault();
    actions[event.key]();
  };
  for (const button of parentElement.querySelectorAll("[data-go]")) {
    button.onclick = () => go(data[button.dataset.go]);
    button.hidden = button.dataset.go === "proposed" && JSON.stringify(data.proposed) === JSON.stringify(data.whole);
  }

  root.style.setProperty("--aspect", data.width / data.height);
  photo.src = data.preview;
  seen.style.backgroundImage = `url(${data.preview})`;
  draw();
  frame.focus({ preventScroll: true });
  root.scrollIntoView({ block: "nearest" });
  // A press on the button beside the component comes after the frame that it is about.
  document.addEventListener("pointerdown", tell, true);
  parentElement.addEventListener("focusout", tell);
  root.tidyUp = () => {
    clearTimeout(pause);
    document.removeEventListener("pointerdown", tell, true);
    parentElement.removeEventListener("focusout", tell);
  };
  return root.tidyUp;
}
