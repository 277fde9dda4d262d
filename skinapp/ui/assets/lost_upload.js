// Says so when a file was chosen while the connection was down: Streamlit drops it without a word.
export default function ({ parentElement }) {
  const note = parentElement.querySelector("[role=alert]");
  const app = document.querySelector("[data-testid=stApp]");
  const isDown = () => !navigator.onLine || app?.getAttribute("data-test-connection-state") !== "CONNECTED";
  const isShown = (name) =>
    [...document.querySelectorAll("[data-testid=stFileUploader]")].some((one) => one.textContent.includes(name));

  let name = "";
  const arrival = new MutationObserver(() => {
    if (isShown(name)) hide();
  });
  const hide = () => {
    arrival.disconnect();
    note.hidden = true;
  };
  const check = (event) => {
    const files = event.target.files ?? event.dataTransfer?.files;
    if (!files?.length) return;
    hide();
    if (!isDown()) return;
    name = files[0].name;
    note.textContent = `The connection was down when you chose ${name}. If it is not shown here soon, choose it again.`;
    note.hidden = false;
    arrival.observe(document.body, { childList: true, subtree: true });
  };
  document.addEventListener("change", check, true);
  document.addEventListener("drop", check, true);
  return () => {
    hide();
    document.removeEventListener("change", check, true);
    document.removeEventListener("drop", check, true);
  };
}
