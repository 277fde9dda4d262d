// Holds a file that is chosen while the connection is down, says so, and hands it over when the connection is back.
// Streamlit would drop it without a word, and the uploader would then take no other file either.
export default function ({ parentElement }) {
  const note = parentElement.querySelector("[role=alert]");
  const app = document.querySelector("[data-testid=stApp]");
  const isDown = () => !navigator.onLine || app?.getAttribute("data-test-connection-state") !== "CONNECTED";
  const isShown = (name) =>
    [...document.querySelectorAll("[data-testid=stFileUploader]")].some((one) => one.textContent.includes(name));
  const say = (words) => {
    note.textContent = words;
    note.hidden = false;
  };

  let held = null;
  const forget = () => {
    held = null;
    note.hidden = true;
    changes.disconnect();
  };
  const handOver = () => {
    if (!held || isDown()) return;
    const { input, files, sent } = held;
    const name = files[0].name;
    if (sent || !input.isConnected) {
      if (isShown(name)) forget();
      else if (!sent) say(`The connection was down when you chose ${name}. Choose it again.`);
      return;
    }
    if (input.disabled) return;
    held.sent = true;
    input.files = files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  const changes = new MutationObserver(handOver);

  const check = (event) => {
    if (held?.sent && event.target === held.input && !event.isTrusted) return;
    const given = event.type === "drop" ? event.dataTransfer?.files : event.target.files;
    const zone = event.target.closest?.("[data-testid=stFileUploader]");
    const input = zone?.querySelector("input[type=file]");
    if (!given?.length || !input) return;
    forget();
    if (!isDown()) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    const files = new DataTransfer();
    for (const file of given) files.items.add(file);
    held = { input, files: files.files, sent: false };
    say(`The connection is down. ${given[0].name} will be uploaded when it is back.`);
    changes.observe(document.body, { attributes: true, childList: true, subtree: true });
  };
  document.addEventListener("change", check, true);
  document.addEventListener("drop", check, true);
  window.addEventListener("online", handOver);
  return () => {
    forget();
    document.removeEventListener("change", check, true);
    document.removeEventListener("drop", check, true);
    window.removeEventListener("online", handOver);
  };
}
