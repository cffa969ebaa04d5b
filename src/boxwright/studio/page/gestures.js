// From pointers and arrow keys to edits: drawing, moving, resizing. No DOM.

import { around, clamp, handleAt, isLarge, moved, resized, smallestAt } from "./geometry.js";

/** @typedef {import("./geometry.js").Point} Point */
/** @typedef {import("./geometry.js").Rect} Rect */
/** @typedef {import("./geometry.js").Handle} Handle */
/** @typedef {"select"|"draw"|"extreme"} Tool */
/**
 * @typedef {object} Drag
 * @property {"move"|"resize"|"new"} kind
 * @property {Point} start
 * @property {Rect} rect where the box is now
 * @property {Rect} origin where it was
 * @property {string|null} key
 * @property {Handle|null} handle
 * @property {boolean} moved
 */

export class Gestures {
  /** @param {import("./edit.js").Editor} editor @param {() => void} changed
   * @param {(tool: Tool) => void} used called when the tool is another one */
  constructor(editor, changed, used) {
    this.editor = editor;
    this.changed = changed;
    this.used = used;
    /** @type {Tool} */
    this.tool = "select";
    /** @type {Drag|null} */
    this.drag = null;
    /** Points that were set: a corner, or extreme points. @type {Point[]} */
    this.points = [];
    /** Where the pointer is, or the cursor that arrow keys move. @type {Point|null} */
    this.cursor = null;
  }

  /** @param {Tool} tool @param {Point} [cursor] where arrow keys begin */
  use(tool, cursor) {
    this.tool = tool;
    this.drag = null;
    this.points = [];
    this.cursor = cursor ?? this.cursor;
    this.used(tool);
    this.changed();
  }

  /** @returns {boolean} whether there was something to cancel */
  cancel() {
    const busy = this.tool !== "select" || this.drag !== null;
    this.use("select");
    return busy;
  }

  /** The box that the current gesture would leave. @returns {Rect|null} */
  get outline() {
    if (this.drag) return this.drag.kind === "new" && this.drag.moved ? this.drag.rect : null;
    if (this.points.length && this.cursor) return around([...this.points, this.cursor]);
    return null;
  }

  /** A pointer went down. @param {Point} point @param {number} reach image pixels */
  down(point, reach) {
    this.cursor = point;
    if (this.tool === "select") this.drag = this.#grabbed(point, reach) ?? started(point);
    else if (this.tool === "draw" && !this.points.length) this.drag = started(point);
    else this.place();
    this.changed();
  }

  /** @param {Point} point @param {number} reach @returns {Drag|null} */
  #grabbed(point, reach) {
    const { editor } = this;
    if (editor.hidden) return null;
    const selected = editor.find(editor.selected);
    const handle = selected && handleAt(selected.box, point, reach);
    if (selected && handle && !editor.locked.has(selected.key))
      return dragged("resize", selected, point, handle);
    const hit = this.#hit(point);
    if (!hit) return null;
    editor.select(hit.key);
    return dragged("move", hit, point, null);
  }

  /** @param {Point} point */
  #hit(point) {
    const { boxes, locked, proposals } = this.editor;
    return smallestAt(boxes.filter(({ key }) => !locked.has(key)), point)
      ?? smallestAt(proposals, point);
  }

  /** @param {Point} point @param {number} slack image pixels that are not a drag yet */
  move(point, slack) {
    this.cursor = point;
    const { drag } = this;
    const { image } = this.editor;
    if (drag && image) {
      const [dx, dy] = [point.x - drag.start.x, point.y - drag.start.y];
      drag.moved ||= Math.hypot(dx, dy) > slack;
      if (drag.moved) drag.rect = turned(drag, point, dx, dy, image);
    }
    this.changed();
  }

  up() {
    const { drag, editor } = this;
    this.drag = null;
    if (!drag) return;
    if (drag.kind !== "new") {
      if (drag.moved && drag.key) editor.reshape(drag.key, drag.rect);
    } else if (drag.moved && isLarge(drag.rect)) {
      this.use("select");
      editor.add(drag.rect);
    } else if (this.tool === "draw") this.place(); // a click: the first corner
    else editor.select(null);
    this.changed();
  }

  /** Set a point at the cursor: two corners make a box, or four extreme points. */
  place() {
    if (!this.cursor) return;
    this.points = [...this.points, this.cursor];
    if (this.points.length === (this.tool === "extreme" ? 4 : 2)) {
      const box = around(this.points);
      this.use("select");
      this.editor.add(box);
    }
    this.changed();
  }

  /** Move the cursor by arrow keys. @param {number} dx @param {number} dy */
  step(dx, dy) {
    const { image } = this.editor;
    if (!image) return;
    const { x, y } = this.cursor ?? { x: image.width / 2, y: image.height / 2 };
    this.cursor = { x: clamp(x + dx, 0, image.width), y: clamp(y + dy, 0, image.height) };
    this.changed();
  }

  /** What a pointer would do at a point, as the name of a CSS cursor.
   * @param {Point} point @param {number} reach */
  hint(point, reach) {
    const { editor } = this;
    if (this.tool !== "select") return "crosshair";
    if (editor.hidden) return "crosshair";
    const selected = editor.find(editor.selected);
    const handle = selected && !editor.locked.has(selected.key) && handleAt(selected.box, point, reach);
    if (handle) {
      if (handle.x === null) return "ns-resize";
      if (handle.y === null) return "ew-resize";
      return handle.x === handle.y ? "nwse-resize" : "nesw-resize";
    }
    const hit = this.#hit(point);
    return hit ? "move" : "crosshair";
  }
}

/** @param {Point} point @returns {Drag} */
const started = (point) => {
  const rect = around([point]);
  return { kind: "new", start: point, rect, origin: rect, key: null, handle: null, moved: false };
};

/** @param {"move"|"resize"} kind @param {{key: string, box: Rect}} box @param {Point} start
 * @param {Handle|null} handle @returns {Drag} */
const dragged = (kind, { key, box }, start, handle) =>
  ({ kind, start, rect: box, origin: box, key, handle, moved: false });

/** @param {Drag} drag @param {Point} point @param {number} dx @param {number} dy
 * @param {import("./geometry.js").Size} size @returns {Rect} */
function turned(drag, point, dx, dy, size) {
  if (drag.kind === "new") {
    const [left, top, right, bottom] = around([drag.start, point]);
    return [Math.max(left, 0), Math.max(top, 0), Math.min(right, size.width), Math.min(bottom, size.height)];
  }
  return drag.handle
    ? resized(drag.origin, drag.handle, dx, dy, size)
    : moved(drag.origin, dx, dy, size);
}
