import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Editor } from "../../../src/boxwright/studio/page/edit.js";
import { Gestures } from "../../../src/boxwright/studio/page/gestures.js";
import { box, labels } from "./labels.js";

const REACH = 4;
const SLACK = 2;
let editor;
let gestures;

beforeEach(() => {
  editor = new Editor({ edited: () => {}, changed: () => {}, nameless: () => {} });
  editor.label = "cat";
  const proposals = [{ key: "p", box: [120, 10, 150, 30], label: "dog", score: 0.9 }];
  editor.open(labels([box("a", [10, 10, 50, 50])], { proposals }));
  gestures = new Gestures(editor, () => {}, () => {});
});

function drag(...points) {
  const [first, ...rest] = points.map(([x, y]) => ({ x, y }));
  gestures.down(first, REACH);
  for (const point of rest) gestures.move(point, SLACK);
  gestures.up();
}
const rects = () => editor.boxes.map((each) => each.box);

describe("a drag", () => {
  test("on empty ground draws, in any direction, clipped to the image", () => {
    drag([110, 90], [90, 80], [70, 140]);
    assert.deepEqual(rects()[1], [70, 90, 110, 100]);
  });

  test("on a box moves it", () => {
    drag([30, 30], [35, 32]);
    assert.deepEqual(rects(), [[15, 12, 55, 52]]);
  });

  test("on a side of the selected box resizes it", () => {
    editor.select("a");
    drag([50, 30], [60, 33]);
    assert.deepEqual(rects(), [[10, 10, 60, 50]]);
  });

  test("on a locked box draws inside it", () => {
    editor.select("a");
    editor.toggleLock();
    drag([20, 20], [40, 45]);
    assert.deepEqual(rects(), [[10, 10, 50, 50], [20, 20, 40, 45]]);
  });

  test("on a side of a locked box draws too", () => {
    editor.select("a");
    editor.toggleLock();
    drag([50, 30], [60, 40]);
    assert.deepEqual(rects(), [[10, 10, 50, 50], [50, 30, 60, 40]]);
  });

  test("with the drawing tool draws inside a box too", () => {
    gestures.use("draw");
    drag([20, 20], [40, 45]);
    assert.deepEqual(rects()[1], [20, 20, 40, 45]);
    assert.equal(gestures.tool, "select");
  });

  test("on a proposal makes it a box", () => {
    drag([130, 20], [133, 22]);
    assert.deepEqual(rects()[1], [123, 12, 153, 32]);
    assert.deepEqual(editor.proposals, []);
  });

  test("that is cancelled changes nothing", () => {
    gestures.down({ x: 30, y: 30 }, REACH);
    gestures.move({ x: 60, y: 60 }, SLACK);
    assert.equal(gestures.cancel(), true);
    gestures.up();
    assert.deepEqual(rects(), [[10, 10, 50, 50]]);
    assert.equal(gestures.cancel(), false);
  });
});

describe("a click", () => {
  test("selects a box, and on empty ground nothing", () => {
    drag([30, 30], [31, 30]);
    assert.equal(editor.selected, "a");
    assert.deepEqual(rects(), [[10, 10, 50, 50]]);
    drag([90, 90]);
    assert.equal(editor.selected, null);
  });

  test("at two corners draws", () => {
    gestures.use("draw");
    drag([60, 60]);
    gestures.move({ x: 70, y: 65 }, SLACK);
    assert.deepEqual(gestures.outline, [60, 60, 70, 65]);
    drag([90, 80]);
    assert.deepEqual(rects()[1], [60, 60, 90, 80]);
  });

  test("at four extreme points draws", () => {
    gestures.use("extreme");
    for (const point of [[80, 40], [60, 60], [100, 55], [85, 90]]) drag(point);
    assert.deepEqual(rects()[1], [60, 40, 100, 90]);
    assert.equal(gestures.tool, "select");
  });
});

test("arrow keys draw, inside the image", () => {
  gestures.use("draw", { x: 60, y: 60 });
  gestures.place();
  gestures.step(500, 0);
  gestures.step(0, 20);
  gestures.place();
  assert.deepEqual(rects()[1], [60, 60, 200, 80]);
});

test("hidden boxes are not hit", () => {
  editor.toggleHidden();
  drag([20, 20], [40, 40]);
  assert.deepEqual(rects(), [[10, 10, 50, 50], [20, 20, 40, 40]]);
});

test("the cursor says what a press would do", () => {
  editor.select("a");
  const hints = [[30, 30], [50, 30], [30, 50], [10, 10], [50, 10], [90, 90], [130, 20]]
    .map(([x, y]) => gestures.hint({ x, y }, REACH));
  assert.deepEqual(hints, ["move", "ew-resize", "ns-resize", "nwse-resize", "nesw-resize", "crosshair", "move"]);
  gestures.use("draw");
  assert.equal(gestures.hint({ x: 30, y: 30 }, REACH), "crosshair");
});
