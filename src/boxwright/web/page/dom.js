// Elements with text, never HTML: names of files and classes may contain any characters.

/** @typedef {Node|string|number|null|false} Child */

/** @template {keyof HTMLElementTagNameMap} T
 * @param {T} tag @param {Record<string, any>} [properties] properties of the element; `on` has
 *    listeners, `aria` and `data` have attributes with these prefixes
 * @param {...Child} children @returns {HTMLElementTagNameMap[T]} */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  const { on = {}, aria = {}, data = {}, role, ...rest } = properties;
  for (const [name, listener] of Object.entries(on)) element.addEventListener(name, listener);
  for (const [name, value] of Object.entries(aria)) element.setAttribute(`aria-${name}`, String(value));
  for (const [name, value] of Object.entries(data)) element.dataset[name] = String(value);
  if (role) element.setAttribute("role", role);
  Object.assign(element, rest);
  element.append(...present(children));
  return element;
}

/** @param {string} tag @param {Record<string, string|number>} [attributes] @param {...Child} children */
export function svg(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, String(value));
  element.append(...present(children));
  return element;
}

/** @param {Child[]} children */
const present = (children) =>
  children.filter((child) => child !== null && child !== false).map((child) =>
    (child instanceof Node ? child : String(child)));

/** @param {Element} parent @param {...Child} children */
export const fill = (parent, ...children) => parent.replaceChildren(...present(children));

/** An element of index.html. @param {string} id @returns {any} */
export const byId = (id) => /** @type {any} */ (document.getElementById(id));

/** @param {number} count @param {string} one @param {string} [many] */
export const some = (count, one, many = `${one}s`) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

/** A duration as people say it. @param {number} seconds */
export function duration(seconds) {
  if (seconds < 90) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

let asked = 0;

/** Ask in a dialog; it is removed when it closes.
 * @param {string} title @param {Child[]} content @param {{label: string, value: string, main?: boolean}[]} answers
 * @returns {Promise<string>} the value of the answer; "" if it was closed */
export function ask(title, content, answers) {
  const id = `dialog-${(asked += 1)}`;
  return new Promise((resolve) => {
    const buttons = answers.map(({ label, value, main }) =>
      h("button", { type: "submit", value, className: main ? "main" : "" }, label));
    const form = h("form", { method: "dialog" },
      h("h2", { id }, title), ...content, h("p", { className: "answers" }, ...buttons));
    const dialog = h("dialog", {
      aria: { labelledby: id },
      on: { close: () => { dialog.remove(); resolve(dialog.returnValue); } },
    }, form);
    document.body.append(dialog);
    dialog.showModal();
    (buttons.find((button) => button.className === "main") ?? buttons[0])?.focus();
  });
}
