import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { sentence, share } from "../../../src/boxwright/studio/page/assist.js";
import { matching } from "../../../src/boxwright/studio/page/classes.js";
import { path, scale, ticks } from "../../../src/boxwright/studio/page/curves.js";
import { duration, some } from "../../../src/boxwright/web/page/dom.js";
import { followed } from "../../../src/boxwright/studio/page/finish.js";
import { filtered, firstFrom, Images, neighbor, progress } from "../../../src/boxwright/studio/page/images.js";
import { nextOpen } from "../../../src/boxwright/studio/page/review.js";

const row = (index, name, state, classes = [], values = {}) =>
  ({ index, name, state, boxes: classes.length, classes, blind: false, proposals: 0, ...values });
const ROWS = [
  row(0, "Red fox.jpg", "labeled", ["fox"]),
  row(1, "owl <b>.jpg", "new", [], { proposals: 2 }),
  undefined, // not loaded yet
  row(3, "red owl.jpg", "verified", ["owl", "fox"], { blind: true }),
  row(4, "nothing.jpg", "verified"),
  row(5, "blurred.jpg", "aside"),
];
const found = (filter) => filtered(ROWS, { text: "", state: "all", label: "", ...filter });

describe("the filter of images", () => {
  for (const [filter, expected] of [
    [{}, [0, 1, 3, 4, 5]],
    [{ text: "RED" }, [0, 3, 5]],
    [{ text: "owl red" }, [3]],
    [{ text: "<b>" }, [1]],
    [{ state: "new" }, [1]],
    [{ state: "labeled" }, [0, 3, 4]],
    [{ state: "empty" }, [4]],
    [{ state: "proposals" }, [1]],
    [{ state: "blind" }, [3]],
    [{ state: "aside" }, [5]],
    [{ label: "fox" }, [0, 3]],
    [{ label: "fox", state: "verified" }, [3]],
  ])
    test(JSON.stringify(filter), () => assert.deepEqual(found(filter), expected));
});

test("images have as many proposals as the server says, also none", () => {
  const images = new Images({}, () => {});
  images.rows = [row(0, "a", "new"), row(1, "b", "new", [], { proposals: 3 }), undefined];
  images.proposed([[0, 2], [1, 0], [2, 5]]);
  assert.deepEqual(images.rows.map((each) => each?.proposals), [2, 0, undefined]);
  assert.deepEqual(filtered(images.rows, { text: "", state: "proposals", label: "" }), [0]);
});

describe("neighbors among the images that are shown", () => {
  for (const [index, step, expected] of [
    [3, 1, 7], [3, -1, 1], [7, 1, null], [1, -1, null], [5, 1, 7], [5, -1, 3], [0, 1, 1], [9, 1, null],
  ])
    test(`${index} ${step > 0 ? "+" : "-"}`, () => assert.equal(neighbor([1, 3, 7], index, step), expected));

  test("the place of an image", () =>
    assert.deepEqual([0, 1, 2, 8].map((each) => firstFrom([1, 3, 7], each)), [0, 0, 1, 3]));
});

test("progress, also per class", () => {
  const { classes, ...counts } = progress(ROWS);
  assert.deepEqual(counts, { total: 5, labeled: 3, verified: 2, aside: 1, blind: 1, boxes: 3 });
  assert.deepEqual([...classes], [["fox", 2], ["owl", 1]]);
});

test("classes that fit what was typed: equal, then beginning, then containing", () => {
  assert.deepEqual(matching(["wildcat", "cat food", "dog", "cat"], " CAT"), ["cat", "cat food", "wildcat"]);
  assert.deepEqual(matching(["b", "a"], ""), ["b", "a"]);
});

describe("axes", () => {
  for (const [low, high, count, expected] of [
    [0, 1, 4, [0, 0.5, 1]],
    [0, 1, 5, [0, 0.2, 0.4, 0.6, 0.8, 1]],
    [7, 93, 5, [20, 40, 60, 80]],
    [5, 5, 4, [5]],
  ])
    test(`${low} to ${high}`, () => assert.deepEqual(ticks(low, high, count), expected));

  test("a scale, and a path of points", () => {
    const x = scale([0, 10], [0, 100]);
    assert.equal(path([[0, 0], [5, 10]], x, scale([0, 10], [50, 0])), "M0.0 50.0L50.0 0.0");
    assert.equal(scale([3, 3], [0, 100])(3), 50);
  });
});

describe("the training in a sentence", () => {
  for (const [training, expected] of [
    [{ state: "waiting", reason: "3 of 8 images" }, "3 of 8 images"],
    [{ state: "missing", reason: "TensorFlow is not installed" }, "TensorFlow is not installed"],
    [{ state: "idle" }, "Trained with all labels so far"],
    [{ state: "training", round: 2, images: 14, seconds_left: 31.4 }, "Training, round 2 on 14 images, 31 s left"],
    [{ state: "training" }, "Training"],
  ])
    test(expected, () => assert.equal(sentence(training), expected));

  test("its share", () => {
    assert.equal(share({ state: "training", step: 5, steps: 20 }), 0.25);
    assert.equal(share({ state: "idle", step: 5, steps: 20 }), 0);
  });
});

test("a job's events make curves; another job begins anew", () => {
  const none = { job: "", told: null, losses: [], scores: [] };
  const events = [
    { job: "1", kind: "train", state: "running", step: 1, loss: 4 },
    { job: "1", kind: "train", state: "running", step: 2, loss: 3, ap50: 0.5 },
    { job: "1", kind: "train", state: "running", text: "Evaluating" },
  ];
  const job = events.reduce(followed, none);
  assert.deepEqual([job.losses, job.scores], [[[1, 4], [2, 3]], [[2, 0.5]]]);
  assert.deepEqual([job.told.text, job.told.step], ["Evaluating", 2]);
  assert.deepEqual(followed(job, { job: "2", kind: "train", state: "running" }).losses, []);
});

test("the next open finding, around the end", () => {
  assert.equal(nextOpen([true, false, true], 2), 1);
  assert.equal(nextOpen([false, false], -1), 0);
  assert.equal(nextOpen([true, true], 0), null);
  assert.equal(nextOpen([], -1), null);
});

test("counts and durations as people say them", () => {
  assert.deepEqual([some(1, "box", "boxes"), some(12345, "box", "boxes")], ["1 box", "12,345 boxes"]);
  assert.deepEqual([0.2, 89, 600, 7200].map(duration), ["1 s", "89 s", "10 min", "2.0 h"]);
});
