// The open image: an <img> that CSS moves, and one canvas over it that is redrawn per frame.

import { paint } from "./draw.js";
import { Gestures } from "./gestures.js";
import { centered, fit, kept, panned, toImage, wheelFactor, zoomed } from "./view.js";

/** @typedef {import("./geometry.js").Point} Point */
/** @typedef {import("./geometry.js").Rect} Rect */
/** @typedef {import("./geometry.js").Size} Size */

const REACH = { mouse: 7, pen: 9, touch: 18 }; // screen pixels around a side that grab it
const SLACK = 4; // screen pixels until a press is a drag

export class Stage {
  /** @type {import("./view.js").View} */
  view = { scale: 1, x: 0, y: 0 };
  /** @type {Size} */
  size = { width: 1, height: 1 };
  /** Boxes that a finding speaks of. @type {Rect[]} */
  marked = [];
  /** Pointers that are down. @type {Map<number, Point>} */
  #pointers = new Map();
  /** @type {"drag"|"pan"|null} */
  #mode = null;
  #requested = false;
  #fitted = true;

  /** @param {HTMLElement} element @param {import("./edit.js").Editor} editor
   * @param {(label: string) => string} color @param {(tool: import("./gestures.js").Tool) => void} used */
  constructor(element, editor, color, used) {
    this.element = element;
    this.editor = editor;
    this.color = color;
    this.canvas = /** @type {HTMLCanvasElement} */ (element.querySelector("canvas"));
    this.context = /** @type {CanvasRenderingContext2D} */ (this.canvas.getContext("2d"));
    this.gestures = new Gestures(editor, () => this.redraw(), used);
    /** @type {HTMLImageElement|null} */
    this.picture = null;
    new ResizeObserver(() => this.#resized()).observe(element);
    element.addEventListener("pointerdown", (event) => this.#down(event));
    element.addEventListener("pointermove", (event) => this.#move(event));
    element.addEventListener("pointerup", (event) => this.#up(event));
    element.addEventListener("pointercancel", (event) => this.#up(event, true));
    element.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    element.addEventListener("dblclick", (event) => this.#double(event));
    element.addEventListener("contextmenu", (event) => event.preventDefault());
  }

  /** @returns {Size} */
  get image() {
    return this.editor.image ?? { width: 1, height: 1 };
  }

  /** Show the pixels of the image that the editor has. @param {HTMLImageElement} picture */
  show(picture) {
    this.picture?.remove();
    this.picture = picture;
    // In pixels of the labels, also if the server sends fewer.
    picture.style.width = `${this.image.width}px`;
    picture.style.height = `${this.image.height}px`;
    this.element.prepend(picture);
    this.gestures.use("select");
    this.gestures.cursor = null;
    this.fit();
  }

  clear() {
    this.picture?.remove();
    this.picture = null;
    this.redraw();
  }

  fit() {
    this.#fitted = true;
    this.#look(fit(this.image, this.size));
  }

  actual() {
    this.#fitted = false;
    const scale = 1 / devicePixelRatio;
    this.#look(centered(scale, this.image, this.size));
  }

  /** @param {number} factor @param {Point} [anchor] */
  zoom(factor, anchor = { x: this.size.width / 2, y: this.size.height / 2 }) {
    this.#fitted = false;
    this.#look(zoomed(this.view, factor, anchor, this.image, this.size));
  }

  /** The middle of what is seen, where arrow keys begin to draw. @returns {Point} */
  get middle() {
    return toImage(this.view, { x: this.size.width / 2, y: this.size.height / 2 });
  }

  /** Draw soon; many calls in a frame are one. */
  redraw() {
    if (this.#requested) return;
    this.#requested = true;
    requestAnimationFrame(() => {
      this.#requested = false;
      const { editor, gestures, color, marked } = this;
      paint(this.context, this.view, this.size, { editor, gestures, color, marked });
    });
  }

  /** @param {import("./view.js").View} view */
  #look(view) {
    this.view = view;
    if (this.picture) {
      this.picture.style.transform = `translate(${view.x}px, ${view.y}px) scale(${view.scale})`;
      this.picture.classList.toggle("pixels", view.scale * devicePixelRatio > 3);
    }
    this.redraw();
  }

  #resized() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (!width || !height) return; // another view is shown
    this.size = { width, height };
    this.canvas.width = Math.round(width * devicePixelRatio);
    this.canvas.height = Math.round(height * devicePixelRatio);
    this.context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    if (this.#fitted) this.fit();
    else this.#look(kept(this.view, this.image, this.size));
  }

  /** @param {MouseEvent} event @returns {Point} */
  #screen(event) {
    const { left, top } = this.element.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top };
  }

  /** @param {PointerEvent} event */
  #reach(event) {
    return (REACH[/** @type {keyof typeof REACH} */ (event.pointerType)] ?? REACH.mouse) / this.view.scale;
  }

  /** @param {PointerEvent} event */
  #down(event) {
    const onButton = /** @type {Element} */ (event.target).closest("button");
    if (!this.editor.image || onButton) return;
    this.element.focus({ preventScroll: true });
    this.element.setPointerCapture(event.pointerId);
    const at = this.#screen(event);
    this.#pointers.set(event.pointerId, at);
    if (this.#pointers.size > 1) {
      if (this.#mode === "drag") this.gestures.drag = null; // two fingers move the image
      this.#mode = "pan";
    } else if (event.button === 0 && !this.editor.readOnly) {
      this.#mode = "drag";
      this.gestures.down(toImage(this.view, at), this.#reach(event));
    } else this.#mode = "pan";
  }

  /** @param {PointerEvent} event */
  #move(event) {
    const at = this.#screen(event);
    const before = this.#pointers.get(event.pointerId);
    if (before) this.#pointers.set(event.pointerId, at);
    if (this.#mode === "pan" && before) this.#pan(event.pointerId, before, at);
    else if (this.editor.image) {
      const point = toImage(this.view, at);
      this.gestures.move(point, SLACK / this.view.scale);
      if (!this.#mode)
        this.element.style.cursor = this.editor.readOnly ? "grab" : this.gestures.hint(point, this.#reach(event));
    }
  }

  /** @param {number} id @param {Point} before @param {Point} at */
  #pan(id, before, at) {
    this.#fitted = false;
    const other = [...this.#pointers].find(([each]) => each !== id)?.[1];
    if (!other) {
      this.#look(panned(this.view, at.x - before.x, at.y - before.y, this.image, this.size));
      return;
    }
    const apart = (/** @type {Point} */ a) => Math.max(Math.hypot(a.x - other.x, a.y - other.y), 1);
    const moved = panned(this.view, (at.x - before.x) / 2, (at.y - before.y) / 2, this.image, this.size);
    const anchor = { x: (at.x + other.x) / 2, y: (at.y + other.y) / 2 };
    this.#look(zoomed(moved, apart(at) / apart(before), anchor, this.image, this.size));
  }

  /** @param {PointerEvent} event @param {boolean} [lost] */
  #up(event, lost = false) {
    if (!this.#pointers.delete(event.pointerId)) return;
    if (this.#mode === "drag") {
      if (lost) this.gestures.drag = null;
      else this.gestures.up();
    }
    if (!this.#pointers.size) this.#mode = null;
    this.redraw();
  }

  /** @param {WheelEvent} event */
  #wheel(event) {
    event.preventDefault(); // also Ctrl and wheel, which would enlarge the page
    if (this.editor.image) this.zoom(wheelFactor(event), this.#screen(event));
  }

  /** @param {MouseEvent} event */
  #double(event) {
    if (!this.editor.image || event.button !== 0) return;
    if (this.#fitted) this.zoom(1 / (this.view.scale * devicePixelRatio), this.#screen(event));
    else this.fit();
  }
}
