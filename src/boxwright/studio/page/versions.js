// Two versions of the labels of an image: which boxes are the same object, and what becomes of an
// edit of one version in the other. A key of the server is a place in one version alone.

import { iou } from "./geometry.js";

/** @typedef {import("./edit.js").Box} Box */
/** @typedef {import("./edit.js").ImageLabels} ImageLabels */
/** @typedef {import("./store.js").Edit} Edit */

/** An edit of a class in all labels: its name before and now, null if it was deleted.
 * @typedef {[string, string|null]} Move */

const SAME = 0.95; // IoU from which two boxes of a class are one object

let count = 0;
/** A key until the server gives one. */
export const newKey = () => `new-${Date.now().toString(36)}-${(count += 1)}`;

/** @param {{label: string, box: Box["box"]}} one @param {{label: string, box: Box["box"]}} other */
export const isSame = (one, other) => one.label === other.label && iou(one.box, other.box) > SAME;

/** Whether two versions have the same boxes: they differ in what was verified or proposed.
 * @param {Box[]} one @param {Box[]} other */
export const isLike = (one, other) =>
  one.length === other.length && one.every((box, i) => !differs(box, other[i]));

/** The boxes of another version that are the same objects, the most similar ones first.
 * @param {Box[]} before @param {Box[]} after
 * @returns {Map<string, string>} key -> key in the other version; none of what is not there */
export function counterparts(before, after) {
  const pairs = before.flatMap((one) => after.filter((other) => isSame(one, other))
    .map((other) => ({ from: one.key, to: other.key, overlap: iou(one.box, other.box) })));
  /** @type {Map<string, string>} */
  const found = new Map();
  const taken = new Set();
  for (const { from, to } of pairs.sort((a, b) => b.overlap - a.overlap)) {
    if (found.has(from) || taken.has(to)) continue;
    found.set(from, to);
    taken.add(to);
  }
  return found;
}

/** The keys that the server gave to boxes: it answers in the order in which they were sent.
 * @param {Box[]} sent @param {Box[]} answered @returns {Map<string, string>} */
export function stored(sent, answered) {
  if (sent.length !== answered.length) return counterparts(sent, answered);
  return new Map(sent.map(({ key }, i) => [key, answered[i].key]));
}

/** What a class is after it was renamed, merged or deleted. @param {string} label
 * @param {Move[]} moves @returns {string|null} null if it was deleted */
export const renamed = (label, moves) => moves.reduce(
  (/** @type {string|null} */ name, [from, to]) => (name === from ? to : name), label);

/** Labels in the classes of today, without boxes of those that were deleted.
 * @template {ImageLabels} T @param {T} image @param {Move[]} moves all @returns {T} */
export function ofToday(image, moves) {
  const since = moves.slice(image.moves);
  return since.length ? { ...image, moves: moves.length, boxes: named(image.boxes, since) } : image;
}

/** Boxes in other classes, without those whose class was deleted.
 * @template {{label: string}} T @param {T[]} boxes @param {Move[]} moves @returns {T[]} */
export const named = (boxes, moves) => boxes.flatMap((box) => {
  const label = renamed(box.label, moves);
  return label === null ? [] : [{ ...box, label }];
});

/** Boxes of an edit in the classes of today. One that was given a class which was deleted meanwhile
 * keeps it: somebody has to choose.
 * @param {Box[]} boxes @param {ImageLabels} base what was edited @param {Move[]} moves all */
export function inClassesOfToday(boxes, base, moves) {
  const since = moves.slice(base.moves);
  const gone = new Set(base.boxes.filter(({ label }) => renamed(label, since) === null).map(({ key }) => key));
  return boxes.map((box) => ({ box, label: renamed(box.label, since) }))
    .filter(({ box, label }) => label !== null || !gone.has(box.key))
    .map(({ box, label }) => ({ ...box, label: label ?? box.label }));
}

/** An edit that is written over another version than the one that was edited. A box keeps its key,
 * and with it what the file says about it, only where the file has the same object.
 * @param {Edit} edit @param {Box[]} base the boxes that were edited @param {Box[]} now those it is written over
 * @returns {Edit} */
export function over(edit, base, now) {
  const keys = counterparts(base, now);
  const known = new Set(base.map(({ key }) => key));
  const key = (/** @type {Box} */ box) => (known.has(box.key) ? keys.get(box.key) ?? newKey() : box.key);
  return { ...edit, boxes: edit.boxes.map((box) => ({ ...box, key: key(box) })) };
}

/** All boxes of both versions; those that both have, once.
 * @param {Edit} mine with keys of their version @param {ImageLabels} theirs @returns {Edit} */
export function both(mine, theirs) {
  const taken = new Set(theirs.boxes.map(({ key }) => key));
  const added = mine.boxes.filter((box) => !theirs.boxes.some((each) => isSame(each, box)))
    .map((box) => (taken.has(box.key) ? { ...box, key: newKey() } : box));
  return { ...mine, boxes: [...theirs.boxes, ...added], verified: mine.verified && theirs.verified };
}

/** An edit that was made while the labels became others, such as by undo: what it changes is
 * changed in the others too, and the rest is as it is there.
 * @param {Edit} edit @param {ImageLabels} base what was edited @param {ImageLabels} now
 * @param {Map<string, string>} keys of the base's boxes, now @returns {Edit} */
export function carried(edit, base, now, keys) {
  const before = new Map(base.boxes.map((box) => [box.key, box]));
  const after = new Map(now.boxes.map((box) => [box.key, box]));
  const known = new Set(keys.values());
  const boxes = now.boxes.filter(({ key }) => !known.has(key));
  for (const box of edit.boxes) {
    const was = before.get(box.key);
    const is = after.get(keys.get(box.key) ?? "");
    if (!was) boxes.push(box);
    else if (differs(box, was)) boxes.push({ ...box, key: is?.key ?? newKey() });
    else if (is) boxes.push(is);
  }
  const open = new Set(base.proposals.map(({ key }) => key));
  return {
    boxes,
    verified: edit.verified === base.verified ? now.verified : edit.verified,
    settled: edit.settled.filter((key) => open.has(key)),
  };
}

/** @param {Box} one @param {Box} other */
const differs = (one, other) => /** @type {(keyof Box)[]} */ (Object.keys(one))
  .some((name) => name !== "key" && String(one[name]) !== String(other[name]));
