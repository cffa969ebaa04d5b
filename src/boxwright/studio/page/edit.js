// The labels of the open image, and all edits of them. No DOM, no network: after an edit it calls
// `edited`, after any change that is visible `changed`.

import { HANDLES, iou, isLarge, moved, resized, snapped } from "./geometry.js";
import { counterparts, inClassesOfToday, isSame, named, newKey, ofToday, renamed } from "./versions.js";

/** @typedef {import("./geometry.js").Rect} Rect */
/** @typedef {import("./geometry.js").Handle} Handle */
/** @typedef {"difficult"|"truncated"|"occluded"|"crowd"} Flag */
/**
 * @typedef {object} Box
 * @property {string} key
 * @property {Rect} box
 * @property {string} label
 * @property {boolean} difficult
 * @property {boolean} truncated
 * @property {boolean} occluded
 * @property {boolean} crowd
 */
/** @typedef {{key: string, box: Rect, label: string, score: number}} Proposal */
/**
 * What the server says about an image.
 * @typedef {object} ImageLabels
 * @property {number} index
 * @property {string} name
 * @property {number} width
 * @property {number} height
 * @property {string} etag
 * @property {number} moves how many edits of classes came before it
 * @property {boolean} verified
 * @property {boolean} blind
 * @property {Box[]} boxes
 * @property {Proposal[]} proposals
 * @property {string[]} [settled] keys of those that an edit which is not saved has settled
 * @property {boolean} can_undo
 * @property {boolean} can_redo
 */

/** @type {Flag[]} */
export const FLAGS = ["difficult", "truncated", "occluded", "crowd"];
const PLAIN = { difficult: false, truncated: false, occluded: false, crowd: false };

export class Editor {
  /** @param {{edited: () => void, changed: () => void, nameless: () => void}} listener `nameless`
   *    is called when a box was drawn and no class is known. */
  constructor(listener) {
    this.listener = listener;
    /** @type {ImageLabels|null} */
    this.image = null;
    /** @type {Box[]} */
    this.boxes = [];
    /** @type {Proposal[]} */
    this.proposals = [];
    /** All that were proposed when the labels were read. @type {Proposal[]} */
    this.offered = [];
    this.verified = false;
    /** @type {string|null} */
    this.selected = null;
    /** The class of the next box. @type {string|null} */
    this.label = null;
    this.labelLocked = false;
    /** Keys of boxes that no drag moves. @type {Set<string>} */
    this.locked = new Set();
    this.hidden = false;
    /** Boxes are only shown. */
    this.readOnly = false;
    /** A box that waits for its class. @type {Rect|null} */
    this.draft = null;
    /** @type {Box|null} */
    this.copied = null;
    /** The boxes of the image that was open before. @type {Box[]} */
    this.last = [];
  }

  /** @param {ImageLabels} image */
  open(image) {
    if (this.image && this.image.index !== image.index) this.last = this.boxes;
    this.selected = null;
    this.draft = null;
    this.locked.clear();
    this.#offer(image);
    this.#take(image);
  }

  close() {
    this.image = null;
    this.boxes = this.proposals = this.offered = [];
    this.selected = this.draft = null;
    this.listener.changed();
  }

  /** The server has saved an edit. Proposals never change while the image is
   * open: of those only the ones that are boxes now go.
   * @param {ImageLabels} image with what was edited meanwhile
   * @param {Map<string, string>} keys that boxes have now */
  saved(image, keys) {
    const name = (/** @type {string} */ key) => keys.get(key) ?? key;
    this.locked = new Set([...this.locked].map(name));
    if (this.selected) this.selected = name(this.selected);
    this.#take(image);
  }

  /** Other labels of the open image, by undo or another program: keys may be those of other boxes.
   * @param {ImageLabels} image with what was edited meanwhile */
  reload(image) {
    const keys = counterparts(this.boxes, image.boxes);
    this.locked = new Set([...this.locked].flatMap((key) => keys.get(key) ?? []));
    this.selected = keys.get(this.selected ?? "") ?? null;
    this.#offer(image);
    this.#take(image);
  }

  /** @param {ImageLabels} image */
  #offer({ proposals, settled = [] }) {
    this.offered = proposals;
    this.proposals = proposals.filter(({ key }) => !settled.includes(key));
  }

  /** Keys of proposals that are boxes now, or were rejected. */
  get settled() {
    const open = new Set(this.proposals.map(({ key }) => key));
    return this.offered.map(({ key }) => key).filter((key) => !open.has(key));
  }

  /** @param {ImageLabels} image */
  #take(image) {
    this.image = image;
    this.boxes = image.boxes;
    this.verified = image.verified;
    const keys = new Set(image.boxes.map((box) => box.key));
    this.proposals = this.proposals.filter(({ key }) => !keys.has(key));
    if (this.selected && !this.find(this.selected)) this.selected = null;
    this.listener.changed();
  }

  /** Classes were renamed, merged or deleted. @param {import("./versions.js").Move[]} moves all
   * @param {number} known how many of them were known @param {string|null} first class that is left */
  rename(moves, known, first) {
    const since = moves.slice(known);
    if (this.label !== null) this.label = renamed(this.label, since) ?? first;
    this.last = named(this.last, since);
    [this.copied = null] = named(this.copied ? [this.copied] : [], since);
    const { image } = this;
    if (!image) return;
    const boxes = inClassesOfToday(this.boxes, image, moves);
    const later = moves.slice(image.moves);
    this.offered = named(this.offered, later);
    this.proposals = named(this.proposals, later);
    this.#take({ ...ofToday(image, moves), boxes, verified: this.verified });
  }

  /** Whether this is what the server has. @param {string} etag @param {string[]} [proposals] keys */
  isAt(etag, proposals) {
    const { image } = this;
    return image?.etag === etag && (!proposals || String(image.proposals.map(({ key }) => key)) === String(proposals));
  }

  /** @param {string|null} key @returns {Box|Proposal|null} */
  find(key) {
    return this.boxes.find((box) => box.key === key)
      ?? this.proposals.find((box) => box.key === key) ?? null;
  }

  /** The selected box, if it is not a proposal. @returns {Box|null} */
  get box() {
    return this.boxes.find((box) => box.key === this.selected) ?? null;
  }

  /** @param {string|null} key */
  select(key) {
    if (this.selected === key) return;
    this.selected = key;
    this.listener.changed();
  }

  /** Select the next or previous box, proposals last. @param {1|-1} step */
  selectNext(step) {
    const all = [...this.boxes, ...this.proposals];
    if (!all.length) return;
    const at = all.findIndex(({ key }) => key === this.selected);
    const next = at < 0 ? (step > 0 ? 0 : all.length - 1) : (at + step + all.length) % all.length;
    this.hidden = false;
    this.select(all[next].key);
  }

  /** Select the label that a box from elsewhere speaks of. @param {Rect} box */
  selectLike(box) {
    const best = this.boxes.reduce(
      (found, each) => (iou(each.box, box) > found.overlap ? { key: each.key, overlap: iou(each.box, box) } : found),
      { key: /** @type {string|null} */ (null), overlap: 0.3 },
    );
    this.select(best.key);
  }

  /** @param {Box[]} boxes @param {string|null} [selected] */
  #put(boxes, selected = this.selected) {
    this.boxes = boxes;
    this.selected = selected;
    this.listener.edited();
    this.listener.changed();
  }

  /** Add a box that was drawn. Without a class it waits until `name` gives one.
   * @param {Rect} drawn @returns {boolean} whether it was large enough */
  add(drawn) {
    if (!this.image) return false;
    const box = snapped(drawn, this.image);
    if (!isLarge(box)) return false;
    if (this.label === null) {
      this.draft = box;
      this.listener.nameless();
      this.listener.changed();
      return true;
    }
    const added = { key: newKey(), box, label: this.label, ...PLAIN };
    this.#put([...this.boxes, added], added.key);
    return true;
  }

  dropDraft() {
    this.draft = null;
    this.listener.changed();
  }

  /** Choose a class: of the waiting box, else of the selected one, and of the next one.
   * @param {string} label @param {boolean} [lock] keep it for all new boxes */
  name(label, lock = false) {
    if (lock) this.labelLocked = !(this.labelLocked && this.label === label);
    if (lock || !this.labelLocked) this.label = label;
    const { draft, selected } = this;
    if (draft) {
      this.draft = null;
      const added = { key: newKey(), box: draft, label, ...PLAIN };
      this.#put([...this.boxes, added], added.key);
    } else if (selected && !lock && this.find(selected)) this.change(selected, { label });
    else this.listener.changed();
  }

  /** Change a box; a proposal becomes a box by it.
   * @param {string} key @param {Partial<Box>} values */
  change(key, values) {
    const proposal = this.proposals.find((each) => each.key === key);
    if (proposal) {
      this.proposals = this.proposals.filter((each) => each !== proposal);
      const { box, label } = proposal;
      this.#put([...this.boxes, { key, box, label, ...PLAIN, ...values }], key);
      return;
    }
    this.#put(this.boxes.map((box) => (box.key === key ? { ...box, ...values } : box)));
  }

  /** Give a box other sides, such as typed ones. @param {string} key @param {Rect} rect */
  reshape(key, rect) {
    if (!this.image) return;
    const box = snapped(rect, this.image);
    if (isLarge(box)) this.change(key, { box });
    else this.listener.changed();
  }

  /** @param {number} dx @param {number} dy */
  nudge(dx, dy) {
    const box = this.find(this.selected);
    if (!box || !this.image || this.locked.has(box.key)) return;
    this.change(box.key, { box: moved(box.box, dx, dy, this.image) });
  }

  /** Move one side of the selected box. @param {Handle} handle @param {number} dx @param {number} dy */
  stretch(handle, dx, dy) {
    const box = this.find(this.selected);
    if (!box || !this.image || this.locked.has(box.key)) return;
    this.change(box.key, { box: resized(box.box, handle, dx, dy, this.image) });
  }

  /** Delete the selected box, or reject the selected proposal: then the next one is selected. */
  remove() {
    const all = [...this.boxes, ...this.proposals];
    const at = all.findIndex(({ key }) => key === this.selected);
    if (at < 0) return;
    const { key } = all[at];
    const proposals = this.proposals.filter((each) => each.key !== key);
    const heir = proposals.length < this.proposals.length ? all[at + 1] ?? all[at - 1] : null;
    this.proposals = proposals;
    this.#put(this.boxes.filter((each) => each.key !== key), heir?.key ?? null);
  }

  copy() {
    this.copied = this.box;
  }

  duplicate() {
    const { box, image } = this;
    if (!box || !image) return;
    const by = Math.max(4, Math.round(Math.min(image.width, image.height) / 40));
    this.#paste([box], by);
  }

  paste() {
    if (this.copied) this.#paste([this.copied], 0);
    else this.pasteLast();
  }

  pasteLast() {
    this.#paste(this.last, 0);
  }

  /** Boxes that are there already are not added again.
   * @param {Box[]} boxes @param {number} by */
  #paste(boxes, by) {
    const { image } = this;
    if (!image) return;
    const there = by ? [] : this.boxes;
    const added = boxes
      .map((box) => ({ ...box, key: newKey(), box: snapped(moved(box.box, by, by, image), image) }))
      .filter((box) => isLarge(box.box) && !there.some((each) => isSame(each, box)));
    if (!added.length) return;
    this.#put([...this.boxes, ...added], added.length === 1 ? added[0].key : null);
  }

  /** @param {Flag} flag */
  toggle(flag) {
    const { box } = this;
    if (box) this.change(box.key, { [flag]: !box[flag] });
  }

  toggleLock() {
    const { box } = this;
    if (!box) return;
    if (!this.locked.delete(box.key)) this.locked.add(box.key);
    this.listener.changed();
  }

  toggleHidden() {
    this.hidden = !this.hidden;
    this.listener.changed();
  }

  toggleVerified() {
    if (!this.image) return;
    this.verified = !this.verified;
    this.listener.edited();
    this.listener.changed();
  }

  /** Make boxes of all proposals. @returns {boolean} whether there were any */
  acceptAll() {
    if (!this.proposals.length) return false;
    const accepted = this.proposals.map(({ key, box, label }) => ({ key, box, label, ...PLAIN }));
    this.proposals = [];
    this.#put([...this.boxes, ...accepted], null);
    return true;
  }
}

export const [, , , BOTTOM_RIGHT] = HANDLES;
export const [TOP_LEFT] = HANDLES;
