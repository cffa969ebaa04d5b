import assert from "node:assert/strict";
import { describe, test } from "node:test";

import {
  both, carried, counterparts, inClassesOfToday, ofToday, over, renamed, stored,
} from "../../../src/boxwright/studio/page/versions.js";
import { box, labels } from "./labels.js";

const CAT = [0, 0, 50, 50];
const DOG = [60, 0, 90, 30];
const edit = (boxes, values = {}) => ({ boxes, verified: false, settled: [], ...values });
const named = ({ boxes }) => boxes.map(({ key, label, box: [left] }) => [key.replace(/^new-.*/, "new"), label, left]);

describe("the same objects in two versions", () => {
  for (const [title, after, expected] of [
    ["in another order", [box("b0", DOG, "dog"), box("b1", CAT)], [["b0", "b1"], ["b1", "b0"]]],
    ["after one was deleted", [box("b0", DOG, "dog")], [["b1", "b0"]]],
    ["of another class", [box("b0", CAT, "dog"), box("b1", DOG, "dog")], [["b1", "b1"]]],
    ["moved far", [box("b0", [9, 9, 59, 59]), box("b1", DOG, "dog")], [["b1", "b1"]]],
    ["nearly where they were", [box("b0", [0, 0, 50, 50.5]), box("b1", DOG, "dog")], [["b0", "b0"], ["b1", "b1"]]],
    ["the nearest one first", [box("b0", [0, 0, 50, 51]), box("b1", CAT)], [["b0", "b1"]]],
    ["none", [], []],
  ])
    test(title, () => {
      const found = counterparts([box("b0", CAT), box("b1", DOG, "dog")], after);
      assert.deepEqual([...found].sort(), expected);
    });

  test("each one once", () => {
    const twice = [box("b0", CAT), box("b1", CAT)];
    assert.deepEqual([...counterparts(twice, twice)], [["b0", "b0"], ["b1", "b1"]]);
    assert.deepEqual([...counterparts(twice, [box("b0", CAT)])], [["b0", "b0"]]);
  });

  test("an answer has boxes in the order in which they were sent, also where it rounds them", () => {
    const sent = [box("new-1", [0.4, 0.4, 2.6, 2.6]), box("b0", CAT)];
    assert.deepEqual([...stored(sent, [box("b0", [0, 0, 3, 3]), box("b1", CAT)])], [["new-1", "b0"], ["b0", "b1"]]);
    assert.deepEqual([...stored(sent, [box("b0", CAT)])], [["b0", "b0"]]);
  });
});

describe("an edit that is written over another version", () => {
  const base = [box("b0", CAT), box("b1", DOG, "dog")];
  const mine = edit([box("b0", CAT), box("b1", [70, 9, 99, 39], "dog"), box("p3-0", [5, 5, 9, 9]), box("new-1", DOG)]);
  for (const [title, now, keys] of [
    ["reordered", [box("b0", DOG, "dog"), box("b1", CAT)], ["b1", "b0", "p3-0", "new-1"]],
    ["one deleted", [box("b0", DOG, "dog")], ["new", "b0", "p3-0", "new-1"]],
    ["all deleted", [], ["new", "new", "p3-0", "new-1"]],
  ])
    test(`${title}: each box keeps its own object`, () => {
      const { boxes } = over(mine, base, now);
      assert.deepEqual(boxes.map(({ box: rect }) => rect), mine.boxes.map(({ box: rect }) => rect));
      assert.deepEqual(boxes.map(({ key }) => (key.match(/^new-\w+-/) ? "new" : key)), keys);
    });

  test("both versions, what they share once", () => {
    const theirs = labels([box("b0", CAT), box("b1", [60, 0, 90, 30])], { verified: true });
    const own = edit([box("b0", CAT), box("b1", [65, 0, 95, 30]), box("p1", CAT, "dog")], { settled: ["p1"] });
    const merged = both(own, theirs);
    assert.deepEqual(named(merged), [["b0", "cat", 0], ["b1", "cat", 60], ["new", "cat", 65], ["p1", "dog", 0]]);
    assert.deepEqual([merged.verified, merged.settled], [false, ["p1"]]);
  });
});

describe("an edit that is made while the labels become others", () => {
  const base = labels([box("b0", CAT), box("b1", DOG, "dog")], { proposals: [{ key: "p2" }] });
  const drawn = box("new-1", [100, 10, 120, 30]);
  const moved = box("b0", [5, 0, 55, 50]);
  const back = box("b0", [150, 0, 190, 40], "owl");
  const carry = (made, now) => carried(made, base, now, counterparts(base.boxes, now.boxes));
  for (const [title, boxes, now, expected] of [
    ["draws a box", [...base.boxes, drawn], [box("b0", DOG, "dog")], [["b0", "dog", 60], ["new", "cat", 100]]],
    ["moves a box", [moved, base.boxes[1]], [back, box("b1", CAT), box("b2", DOG, "dog")],
      [["b0", "owl", 150], ["b1", "cat", 5], ["b2", "dog", 60]]],
    ["moves a box that is undone", [moved, base.boxes[1]], [box("b0", DOG, "dog")], [["new", "cat", 5], ["b0", "dog", 60]]],
    ["deletes a box", [base.boxes[1]], [back, box("b1", CAT), box("b2", DOG, "dog")],
      [["b0", "owl", 150], ["b2", "dog", 60]]],
    ["does nothing", base.boxes, [], []],
  ])
    test(title, () => assert.deepEqual(named(carry(edit(boxes), labels(now))), expected));

  test("says what is verified, if it is that", () => {
    const now = labels([], { verified: true });
    assert.equal(carry(edit([]), now).verified, true);
    assert.equal(carry(edit([], { verified: true }), labels([])).verified, true);
  });

  test("settles what it has settled itself", () => {
    const now = labels([], { proposals: [{ key: "p1" }, { key: "p2" }] }); // p1 came back
    assert.deepEqual(carry(edit([], { settled: ["p1", "p2"] }), now).settled, ["p2"]);
  });
});

describe("classes that were renamed, merged or deleted", () => {
  const moves = [["cat", "kitty"], ["dog", null], ["kitty", "pet"]];

  test("have the name of today", () => {
    assert.deepEqual(["cat", "dog", "owl"].map((label) => renamed(label, moves)), ["pet", null, "owl"]);
  });

  test("are those of labels, from the edit that they know on", () => {
    const image = labels([box("c", [1, 1, 9, 9]), box("d", [1, 1, 9, 9], "dog")]);
    assert.deepEqual(ofToday(image, moves), { ...image, moves: 3, boxes: [{ ...image.boxes[0], label: "pet" }] });
    const later = { ...image, moves: 2 };
    assert.deepEqual(ofToday(later, moves).boxes, later.boxes);
    assert.equal(ofToday({ ...image, moves: 4 }, moves).moves, 4);
  });

  test("keep a box that was given a deleted one", () => {
    const base = labels([box("c", [1, 1, 9, 9]), box("d", [1, 1, 9, 9], "dog")]);
    const edited = [{ ...base.boxes[0], label: "dog" }, base.boxes[1], box("new-a", [3, 3, 9, 9], "dog")];
    assert.deepEqual(inClassesOfToday(edited, base, moves), [edited[0], edited[2]]);
  });
});
