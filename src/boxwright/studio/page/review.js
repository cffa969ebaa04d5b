// Findings as a queue: each is shown on its image, and accepted or corrected.

import { fill, h, some } from "../../web/page/dom.js";

/** @typedef {import("./geometry.js").Rect} Rect */
/**
 * @typedef {object} Finding
 * @property {string} key identifies it
 * @property {boolean} accepted somebody said that it is right as it is
 * @property {number|null} index the image; null if it is about all of them
 * @property {string} kind
 * @property {string} code
 * @property {string} message
 * @property {string} remedy
 * @property {Rect[]} boxes
 */

/** The next finding that is open, after a position and around the end; null if all are done.
 * @param {boolean[]} done @param {number} at */
export function nextOpen(done, at) {
  for (let step = 1; step <= done.length; step += 1) {
    const next = (at + step) % done.length;
    if (!done[next]) return next;
  }
  return null;
}

export class Review {
  /** @param {{list: HTMLElement, bar: HTMLElement}} elements @param {import("./store.js").Server} server
   * @param {{show: (finding: Finding|null) => void, name: (index: number) => string,
   *    failed: (error: unknown) => void}} actions */
  constructor({ list, bar }, server, actions) {
    this.server = server;
    this.actions = actions;
    this.bar = bar;
    this.status = h("p", { role: "status", className: "faint" });
    this.items = h("ol", { className: "findings" });
    list.append(this.status, h("p", { className: "buttons" },
      h("button", { type: "button", on: { click: () => void this.load() } }, "Check again")), this.items);
    /** @type {Finding[]} */
    this.findings = [];
    /** @type {boolean[]} */
    this.done = [];
    this.at = -1;
    this.leftOut = 0;
  }

  async load() {
    this.status.textContent = "Checking all labels…";
    try {
      const { items, left_out: leftOut } = await this.server.get("/api/review");
      [this.findings, this.leftOut] = [items, leftOut];
    } catch (error) {
      this.status.textContent = "";
      this.actions.failed(error);
      return;
    }
    this.done = this.findings.map(({ accepted }) => accepted);
    this.at = -1;
    this.#go(nextOpen(this.done, -1));
  }

  /** @returns {Finding|null} */
  get finding() {
    return this.findings[this.at] ?? null;
  }

  /** @param {1|-1} step */
  step(step) {
    const count = this.findings.length;
    if (count) this.#go((this.at + step + count) % count);
  }

  /** It is right as it is. */
  accept() {
    const { finding } = this;
    if (!finding) return;
    this.server.post("/api/review", { key: finding.key }).catch((error) => this.actions.failed(error));
    this.done[this.at] = true;
    this.#go(nextOpen(this.done, this.at));
  }

  /** The labels of an image were changed here. @param {number} index */
  corrected(index) {
    if (this.finding?.index !== index || this.done[this.at]) return;
    this.done[this.at] = true;
    this.#draw();
  }

  /** @param {number|null} at */
  #go(at) {
    this.at = at ?? -1;
    this.#draw();
    this.actions.show(this.finding);
  }

  #draw() {
    const [inList, inBar] = [this.items, this.bar].map((each) => each.contains(document.activeElement));
    const open = this.done.filter((each) => !each).length;
    const more = this.leftOut ? ` Not shown: ${some(this.leftOut, "finding")}; check again after these.` : "";
    this.status.textContent = this.findings.length
      ? `${some(open, "finding")} open of ${this.findings.length}.${more}` : "No findings: the labels look right.";
    fill(this.items, ...this.findings.map((finding, i) => h("li", { className: this.done[i] ? "done" : "" },
      h("button", { type: "button", aria: { current: i === this.at }, on: { click: () => this.#go(i) } },
        h("span", { className: "code" }, finding.code), " ", finding.message,
        this.done[i] ? h("span", { className: "note" }, " done") : null))));
    this.items.children[this.at]?.scrollIntoView({ block: "nearest" });
    this.#say();
    // The buttons are new ones: who pressed one by key stays there.
    if (inList) this.items.children[this.at]?.querySelector("button")?.focus();
    if (inBar) this.bar.querySelector("button")?.focus();
  }

  #say() {
    const { finding } = this;
    if (!finding) {
      fill(this.bar, h("p", {}, this.findings.length ? "All findings are done." : "Nothing to review."));
      return;
    }
    const { index, code, message, remedy } = finding;
    fill(this.bar,
      h("p", {}, h("b", {}, `${code} `), message, index === null ? "" : ` (${this.actions.name(index)})`),
      remedy ? h("p", { className: "faint" }, remedy) : null,
      h("p", { className: "buttons" },
        button("Right as it is", "Enter", () => this.accept(), "main"),
        button("Back", "A", () => this.step(-1)), button("Next", "D", () => this.step(1))));
  }
}

/** @param {string} text @param {string} key @param {() => void} press @param {string} [className] */
const button = (text, key, press, className = "") =>
  h("button", { type: "button", className, on: { click: press } }, text, h("kbd", {}, key));
