// The panels beside the image: the list of images, the classes, and the table of boxes.

import { fill, h, some } from "../../web/page/dom.js";
import { FLAGS } from "./edit.js";
import { firstFrom, progress, STATES } from "./images.js";

/** @typedef {import("./edit.js").Editor} Editor */
/** @typedef {import("./images.js").Images} Images */
/** @typedef {import("./images.js").Row} Row */
/** @typedef {(label: string) => string} Color */

const ROW = 52; // pixels, as in style.css
const BEYOND = 6; // rows that are built outside the window
const SIDES = ["left", "top", "right", "bottom"];

/** The list of images: only rows that are seen are built, of any number. */
export class ImageList {
  /** @param {HTMLElement} element @param {Images} images @param {(index: number) => void} open */
  constructor(element, images, open) {
    this.images = images;
    this.open = open;
    /** @type {number|null} */
    this.current = null;
    this.text = h("input", { type: "search", placeholder: "Search images", id: "image-search",
      aria: { label: "Search images by name" },
      on: { input: () => this.#filter(), keydown: (/** @type {KeyboardEvent} */ event) => this.#found(event) } });
    this.state = h("select", { aria: { label: "Show images that are" }, on: { change: () => this.#filter() } },
      ...Object.entries(STATES).map(([value, { title }]) => h("option", { value }, title)));
    this.label = h("select", { aria: { label: "Show images with the class" }, on: { change: () => this.#filter() } });
    this.count = h("p", { className: "faint", role: "status" });
    this.bar = h("progress", { max: 1, value: 0, aria: { label: "Labeled images" } });
    this.rows = h("div", { className: "rows", role: "listbox", tabIndex: 0, aria: { label: "Images" },
      on: { scroll: () => this.#soon(), keydown: (/** @type {KeyboardEvent} */ event) => this.#key(event) } });
    this.inner = h("div", { className: "rows-inner", role: "presentation" });
    this.rows.append(this.inner);
    const filter = h("div", { className: "filter" }, this.text, this.state, this.label);
    element.append(filter, this.count, this.bar, this.rows);
    this.requested = false;
    /** Rows that are built, by image. @type {Map<number, {seen: string, element: HTMLElement}>} */
    this.built = new Map();
    new ResizeObserver(() => this.#soon()).observe(this.rows);
    this.classes([]);
  }

  /** Enter opens the first image that was found. @param {KeyboardEvent} event */
  #found(event) {
    const [first] = this.images.shown;
    if (event.key === "Enter" && first !== undefined) this.open(first);
  }

  #filter() {
    this.images.choose({ text: this.text.value, state: this.state.value, label: this.label.value });
    this.rows.scrollTop = 0;
  }

  /** @param {string[]} names */
  classes(names) {
    const { value } = this.label;
    const options = names.map((name) => h("option", { value: name }, name));
    fill(this.label, h("option", { value: "" }, "Any class"), ...options);
    this.label.value = names.includes(value) ? value : "";
  }

  /** Rows or the filter have changed. */
  update() {
    const { rows, shown } = this.images;
    const done = progress(rows);
    const found = shown.length ? `${some(shown.length, "image")} shown, ` : "No image fits, ";
    const labeled = `${done.labeled.toLocaleString("en")} of ${some(done.total, "image")} labeled`;
    const text = shown.length === done.total ? labeled : found + labeled;
    if (this.count.textContent !== text) this.count.textContent = text;
    this.bar.value = done.total ? done.labeled / done.total : 0;
    this.#soon();
    return done;
  }

  /** @param {number|null} index */
  select(index) {
    this.current = index;
    if (index !== null) {
      const at = firstFrom(this.images.shown, index) * ROW;
      const { scrollTop, clientHeight } = this.rows;
      if (at < scrollTop || at + ROW > scrollTop + clientHeight)
        this.rows.scrollTop = Math.max(0, at - clientHeight / 2 + ROW / 2);
    }
    this.#soon();
  }

  #soon() {
    if (this.requested) return;
    this.requested = true;
    requestAnimationFrame(() => {
      this.requested = false;
      this.#draw();
    });
  }

  #draw() {
    const { shown, rows } = this.images;
    const first = Math.max(0, Math.floor(this.rows.scrollTop / ROW) - BEYOND);
    const last = Math.min(shown.length, Math.ceil((this.rows.scrollTop + this.rows.clientHeight) / ROW) + BEYOND);
    this.inner.style.height = `${Math.max(shown.length, 1) * ROW}px`;
    const before = this.built;
    this.built = new Map();
    for (let at = first; at < last; at += 1) {
      const row = /** @type {Row} */ (rows[shown[at]]);
      const seen = JSON.stringify([row, at, shown.length, row.index === this.current]);
      const same = before.get(row.index);
      this.built.set(row.index, same?.seen === seen ? same : { seen, element: this.#row(row, at) });
    }
    fill(this.inner, ...[...this.built.values()].map(({ element }) => element));
    if (this.current !== null && this.inner.querySelector(`#row-${this.current}`))
      this.rows.setAttribute("aria-activedescendant", `row-${this.current}`);
    else this.rows.removeAttribute("aria-activedescendant");
  }

  /** @param {Row} row @param {number} position */
  #row(row, position) {
    const { index, name, state, boxes, blind, proposals } = row;
    const notes = [
      boxes ? some(boxes, "box", "boxes") : state === "verified" ? "nothing here" : state === "new" && "unlabeled",
      state === "verified" && "verified", state === "aside" && "set aside",
      blind && "test", proposals && state === "new" && "proposals",
    ].filter(Boolean).join(" · ");
    const element = h("div", {
      id: `row-${index}`, className: `row ${state}`, role: "option", title: name,
      aria: { selected: index === this.current, setsize: this.images.shown.length, posinset: position + 1 },
      on: { click: () => this.open(index) },
    },
    h("img", { src: `/pixels/${index}?side=256`, alt: "", loading: "lazy", width: 56, height: 42 }),
    h("span", { className: "name" }, name), h("span", { className: "notes faint" }, notes));
    element.style.top = `${position * ROW}px`;
    return element;
  }

  /** @param {KeyboardEvent} event */
  #key(event) {
    const step = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10 }[event.key];
    if (!step || event.ctrlKey || event.altKey) return;
    event.preventDefault();
    event.stopPropagation();
    const { shown } = this.images;
    const at = this.current === null ? 0 : firstFrom(shown, this.current) + step;
    const index = shown[Math.min(Math.max(at, 0), shown.length - 1)];
    if (index !== undefined) this.open(index);
  }
}

/** The classes: a digit, a color, and in how many images each is. */
export class ClassPanel {
  /** @param {HTMLElement} element @param {{choose: ((name: string, lock: boolean) => void)|null, search: () => void,
   *    manage: () => void}} actions without `choose` the classes are only shown */
  constructor(element, actions) {
    this.actions = actions;
    this.seen = "";
    this.list = h("ul", { className: "classes" });
    element.append(this.list, h("p", { className: "buttons" },
      h("button", { type: "button", on: { click: actions.search } }, "Search or add", h("kbd", {}, "/")),
      h("button", { type: "button", on: { click: actions.manage } }, "Edit classes…")));
  }

  /** @param {string[]} names @param {Editor} editor @param {Map<string, number>} counts @param {Color} color */
  update(names, editor, counts, color) {
    if (JSON.stringify(names) !== this.seen) this.#build(names, color);
    const current = editor.box?.label ?? editor.label;
    names.forEach((name, i) => {
      const button = /** @type {HTMLElement} */ (this.list.children[i].firstElementChild);
      const [note, count] = [...button.children].slice(-2);
      button.setAttribute("aria-pressed", String(name === current));
      note.textContent = editor.labelLocked && editor.label === name ? "locked" : "";
      count.textContent = (counts.get(name) ?? 0).toLocaleString("en");
    });
  }

  /** @param {string[]} names @param {Color} color */
  #build(names, color) {
    this.seen = JSON.stringify(names);
    fill(this.list, ...names.map((name, i) => {
      const swatch = h("i", { className: "swatch", aria: { hidden: true } });
      swatch.style.background = color(name);
      const choose = (/** @type {MouseEvent} */ event) => this.actions.choose?.(name, event.ctrlKey);
      const disabled = !this.actions.choose;
      return h("li", {}, h("button", { type: "button", className: "class", disabled, on: { click: choose } },
        h("kbd", {}, i < 10 ? String((i + 1) % 10) : ""), swatch, h("span", { className: "name" }, name),
        h("span", { className: "note" }), h("span", { className: "faint", title: "images with this class" })));
    }));
    if (!names.length) fill(this.list, h("li", { className: "faint" }, "No class yet: draw a box, and name it."));
  }
}

/** All boxes as a table with numbers that can be edited: who cannot see the image can edit it too.
 * A row belongs to a position, so that the focus stays where it is when boxes change. */
export class BoxTable {
  /** @param {HTMLElement} element @param {Editor} editor @param {{holds: Set<string>, color: Color}} options */
  constructor(element, editor, options) {
    this.editor = editor;
    this.options = options;
    /** @type {string[]} */
    this.names = [];
    /** Each row shows its box again. @type {(() => void)[]} */
    this.rows = [];
    this.body = h("tbody");
    this.none = h("p", { className: "faint" }, "No boxes.");
    this.flags = FLAGS.filter((flag) => options.holds.has(flag)).map((flag) => h("input",
      { type: "checkbox", name: flag, disabled: editor.readOnly, on: { change: () => editor.toggle(flag) } }));
    this.legend = h("legend");
    this.fieldset = h("fieldset", { className: "flags" }, this.legend,
      ...this.flags.map((input) => h("label", {}, input, input.name)));
    element.append(
      h("table", { className: "boxes" },
        h("caption", { className: "unseen" }, "Boxes of this image, in pixels"),
        h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "Class"),
          ...SIDES.map((side) => h("th", { scope: "col" }, side)),
          h("th", { scope: "col" }, h("span", { className: "unseen" }, "Delete")))),
        this.body),
      this.none, this.fieldset);
  }

  /** @param {string[]} names */
  update(names) {
    const { boxes, box } = this.editor;
    this.names = names;
    while (this.rows.length < boxes.length) this.#add(this.rows.length);
    this.rows.length = boxes.length;
    while (this.body.children.length > boxes.length) this.body.lastElementChild?.remove();
    for (const show of this.rows) show();
    this.none.hidden = boxes.length > 0;
    this.fieldset.hidden = !box || !this.flags.length;
    if (!box) return;
    this.legend.textContent = `This ${box.label} is`;
    for (const input of this.flags) input.checked = box[/** @type {import("./edit.js").Flag} */ (input.name)];
  }

  /** @param {number} i */
  #add(i) {
    const { editor, options } = this;
    const box = () => editor.boxes[i];
    const select = () => editor.select(box().key);
    const swatch = h("i", { className: "swatch", aria: { hidden: true } });
    const disabled = editor.readOnly;
    const label = h("select", { disabled, aria: { label: `Class of box ${i + 1}` },
      on: { focus: select, change: () => editor.change(box().key, { label: label.value }) } });
    const inputs = SIDES.map((side, k) => h("input", { type: "number", step: "any", disabled,
      aria: { label: `${side} of box ${i + 1}` }, on: { focus: select, change: () => typed(k) } }));
    const remove = (/** @type {Event} */ event) => {
      event.stopPropagation(); // the row is another box's then
      select();
      editor.remove();
    };
    const row = h("tr", { on: { click: select } }, h("th", { scope: "row" }, swatch, label),
      ...inputs.map((input) => h("td", {}, input)),
      h("td", {}, h("button", { type: "button", className: "small", title: "Delete",
        aria: { label: `Delete box ${i + 1}` }, on: { click: remove } }, "×")));
    let seen = "";
    let listed = "";

    /** @param {number} side */
    const typed = (side) => {
      /** @type {import("./geometry.js").Rect} */
      const rect = [...box().box];
      if (Number.isFinite(inputs[side].valueAsNumber)) rect[side] = inputs[side].valueAsNumber;
      seen = ""; // show what became of it
      editor.reshape(box().key, rect);
    };

    this.rows.push(() => {
      const { key, label: name, box: rect } = box();
      row.classList.toggle("selected", key === editor.selected);
      const names = this.names.includes(name) ? this.names : [...this.names, name];
      if (listed !== (listed = JSON.stringify(names)))
        fill(label, ...names.map((value) => h("option", { value }, value)));
      // What is being typed stays until the box is another one.
      if (seen === (seen = JSON.stringify([name, rect, listed]))) return;
      swatch.style.background = options.color(name);
      label.value = name;
      inputs.forEach((input, k) => { input.value = String(Math.round(rect[k] * 10) / 10); });
    });
    this.body.append(row);
  }
}
