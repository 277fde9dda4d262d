// A grid of thumbnails to choose from; a thumbnail may show the frame on its photo.
export default function ({ data, parentElement, setTriggerValue }) {
  const make = (tag, name, words = "") => {
    const element = document.createElement(tag);
    element.className = name;
    element.textContent = words;
    return element;
  };
  const show = (cell) => {
    const button = make("button", "cell");
    button.type = "button";
    button.title = button.ariaLabel = [cell.label, cell.note].filter(Boolean).join(", ");
    if (cell.current) button.ariaCurrent = "true";
    const picture = make("span", "picture");
    if (cell.url) {
      const inner = make("span", cell.box ? "inner" : "inner cut");
      const image = make("img", "");
      image.src = cell.url;
      image.alt = "";
      inner.append(image);
      if (cell.box) {
        const [left, top, width, height] = cell.box;
        const box = make("span", "box");
        const sides = { left, top, width, height };
        for (const [side, share] of Object.entries(sides)) box.style[side] = `${100 * share}%`;
        inner.append(box);
      }
      picture.append(inner);
    }
    const words = make("span", "words");
    if (cell.tone) words.dataset.tone = cell.tone;
    words.append(make("span", "label", cell.label));
    if (cell.note) words.append(make("span", "note", cell.note));
    button.append(picture, words);
    button.onclick = () => setTriggerValue("open", cell.id);
    const item = make("div", "");
    item.role = "listitem";
    item.style.display = "contents";
    item.append(button);
    return item;
  };
  const grid = parentElement.querySelector(".grid");
  grid.ariaLabel = data.label;
  grid.replaceChildren(...data.cells.map(show));
}
