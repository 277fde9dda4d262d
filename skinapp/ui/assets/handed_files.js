// Hands files to the page's uploader: pictures that are pasted, and a photo whose frame is to be changed. The server
// let that photo go with its answer; only this browser still knows the file that was chosen.
const KEPT_FILES = 20;
const memory = { files: new Map(), held: [], served: null, round: null };

export default function ({ data, parentElement, setTriggerValue }) {
  const note = parentElement.querySelector("[role=alert]");
  memory.tidyUp?.();
  if (memory.round !== data.round) {
    memory.round = data.round;
    memory.files.clear();
  }

  const say = (words) => {
    note.textContent = words;
    note.hidden = !words;
  };
  const getInput = () => document.querySelector("[data-testid=stFileUploader] input[type=file]");
  const handOver = () => {
    const input = getInput();
    if (!memory.held.length || !input || input.disabled) return;
    const files = new DataTransfer();
    for (const file of memory.held) files.items.add(file);
    memory.held = [];
    changes.disconnect();
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const changes = new MutationObserver(handOver);
  const hold = (files) => {
    memory.held = files;
    changes.observe(document.body, { attributes: true, childList: true, subtree: true });
    handOver();
  };
  const remember = (event) => {
    const given = event.type === "drop" ? event.dataTransfer?.files : event.target.files;
    if (!given?.length || !event.target.closest?.("[data-testid=stFileUploader]")) return;
    say("");
    for (const file of given) {
      memory.files.delete(`${file.name} ${file.size}`);
      memory.files.set(`${file.name} ${file.size}`, file);
    }
    for (const name of [...memory.files.keys()].slice(0, -KEPT_FILES)) memory.files.delete(name);
  };
  const paste = (event) => {
    const files = [...(event.clipboardData?.files ?? [])].filter((file) => file.type.startsWith("image/"));
    if (!files.length) return;
    event.preventDefault();
    const tooLarge = files.find((file) => file.size > data.max_bytes);
    if (tooLarge) {
      say(`The picture has ${(tooLarge.size / 2 ** 20).toFixed(1)} MB; the limit is ${data.max_bytes / 2 ** 20} MB. Save it smaller or as JPEG.`);
      return;
    }
    say("");
    if (!getInput()) setTriggerValue("wanted", files.length);
    hold(files);
  };
  document.addEventListener("change", remember, true);
  document.addEventListener("drop", remember, true);
  document.addEventListener("paste", paste);
  if (memory.held.length) hold(memory.held);

  if (data.again && memory.served !== data.again.number) {
    memory.served = data.again.number;
    const file = memory.files.get(`${data.again.name} ${data.again.size}`);
    if (file) hold([file]);
    else say(`This browser no longer holds ${data.again.name}. Choose it again.`);
  }
  memory.tidyUp = () => {
    changes.disconnect();
    document.removeEventListener("change", remember, true);
    document.removeEventListener("drop", remember, true);
    document.removeEventListener("paste", paste);
  };
  return memory.tidyUp;
}
