// Moves the page to what has just arrived, and the focus with it, so that the next Tab goes on from there.
// The page still grows below it for a while; until then it may be too short to scroll. A visitor who scrolls wins.
const GROWS_MS = 4_000;
const OWN_MOVES = ["wheel", "touchmove", "keydown", "pointerdown"];

export default function ({ data, parentElement }) {
  const host = parentElement.host ?? parentElement;
  if (host.arrived === data.id) return host.stop;
  host.arrived = data.id;
  host.stop?.();
  host.tabIndex = -1;
  host.role = "region";
  host.ariaLabel = data.label;
  host.style.outline = "none";
  host.style.scrollMarginTop = "4.25rem"; // Streamlit's header covers the top of the page

  const move = () => host.scrollIntoView({ block: "start" });
  const grows = new MutationObserver(move);
  host.stop = () => {
    grows.disconnect();
    clearTimeout(end);
    for (const kind of OWN_MOVES) document.removeEventListener(kind, host.stop, true);
  };
  const end = setTimeout(() => host.stop(), GROWS_MS);
  for (const kind of OWN_MOVES) document.addEventListener(kind, host.stop, true);
  grows.observe(document.body, { childList: true, subtree: true });
  move();
  host.focus({ preventScroll: true });
  return host.stop;
}
