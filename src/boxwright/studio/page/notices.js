// Short messages, and whether all edits are on disk.

import { fill, h, some } from "../../web/page/dom.js";

const SHOWN = 7000; // ms

export class Notices {
  /** @param {HTMLElement} element a live region */
  constructor(element) {
    this.element = element;
    /** @type {Map<string, HTMLElement>} */
    this.lasting = new Map();
  }

  /** Say something for some seconds. @param {string} text @param {string} [remedy]
   * @param {() => void} [undo] of what was done */
  say(text, remedy = "", undo) {
    const notice = this.#build(text, remedy, "notice");
    const press = () => { notice.remove(); undo?.(); };
    if (undo) notice.lastElementChild?.before(
      h("button", { type: "button", className: "small", on: { click: press } }, "Undo"));
    setTimeout(() => notice.remove(), SHOWN);
  }

  /** Say what is wrong until it is closed, or until it is over.
   * @param {string} id @param {{message: string, remedy?: string, code?: string}} problem */
  keep(id, { message, remedy = "", code = "" }) {
    const more = [remedy, code && `(${code})`].filter(Boolean).join(" ");
    const before = this.lasting.get(id);
    if (before?.isConnected && before.dataset.said === message + more) return; // not read aloud again
    this.over(id);
    const notice = this.#build(message, more, "notice problem");
    notice.dataset.said = message + more;
    this.lasting.set(id, notice);
  }

  /** @param {string} id */
  over(id) {
    this.lasting.get(id)?.remove();
    this.lasting.delete(id);
  }

  /** @param {string} text @param {string} remedy @param {string} className */
  #build(text, remedy, className) {
    const notice = h("div", { className },
      h("p", {}, text, remedy ? h("span", { className: "faint" }, ` ${remedy}`) : null),
      h("button", { type: "button", className: "small", aria: { label: "Close this message" },
        on: { click: () => notice.remove() } }, "×"));
    this.element.append(notice);
    return notice;
  }
}

/** What the corner of the page says about edits.
 * @param {HTMLElement} element @param {import("./store.js").Saver} saver @param {boolean} connected */
export function showSaved(element, saver, connected) {
  const count = saver.unsaved.length;
  const state = saver.stuck ? "stuck" : count ? "saving" : connected ? "saved" : "away";
  const text = {
    stuck: `${some(count, "image")} not saved`, saving: "Saving…", saved: "Saved", away: "Saved, not connected",
  }[state];
  if (element.dataset.state === state && element.textContent?.startsWith(text)) return;
  element.dataset.state = state;
  const again = () => void saver.flushAll();
  fill(element, h("span", {}, text),
    saver.stuck && h("button", { type: "button", className: "small", on: { click: again } }, "Try again"));
}

/** How long ago all was saved. @param {import("./store.js").Saver} saver */
export const lastSaved = ({ savedAt }) =>
  (savedAt === null ? "Nothing to save" : `Saved ${((Date.now() - savedAt) / 1000).toFixed(1)} s ago`);
