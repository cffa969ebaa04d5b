import assert from "node:assert/strict";
import { describe, test } from "node:test";

import * as geometry from "../../../src/boxwright/studio/page/geometry.js";

const SIZE = { width: 100, height: 80 };
const BOX = [20, 10, 60, 50];

test("four extreme points in any order make the box around them", () => {
  const points = [{ x: 50, y: 5 }, { x: 90, y: 40 }, { x: 10, y: 30 }, { x: 40, y: 70 }];
  assert.deepEqual(geometry.around(points), [10, 5, 90, 70]);
});

test("a drawn box is on whole pixels inside the image", () => {
  assert.deepEqual(geometry.snapped([-3, 1.4, 50.6, 99], SIZE), [0, 1, 51, 80]);
});

describe("a box that is moved stays inside the image with its size", () => {
  for (const [dx, dy, expected] of [
    [5, -3, [25, 7, 65, 47]],
    [-50, 0, [0, 10, 40, 50]],
    [500, 500, [60, 40, 100, 80]],
  ])
    test(`by ${dx}, ${dy}`, () => assert.deepEqual(geometry.moved(BOX, dx, dy, SIZE), expected));
});

describe("a handle moves its sides, which do not cross", () => {
  for (const [handle, dx, dy, expected] of [
    [{ x: 0, y: 0 }, 5, 5, [25, 15, 60, 50]],
    [{ x: 1, y: null }, 500, 9, [20, 10, 100, 50]],
    [{ x: null, y: 1 }, 9, -500, [20, 10, 60, 12]],
    [{ x: 0, y: null }, 500, 0, [58, 10, 60, 50]],
  ])
    test(JSON.stringify([handle, dx, dy]), () =>
      assert.deepEqual(geometry.resized(BOX, handle, dx, dy, SIZE), expected));
});

describe("the handle at a point", () => {
  for (const [x, y, expected] of [
    [20, 10, { x: 0, y: 0 }],
    [62, 48, { x: 1, y: 1 }],
    [40, 12, { x: null, y: 0 }],
    [18, 30, { x: 0, y: null }],
    [40, 30, null],
    [10, 30, null],
  ])
    test(`${x}, ${y}`, () => assert.deepEqual(geometry.handleAt(BOX, { x, y }, 4), expected));

  test("the middle of a tiny box moves it", () =>
    assert.equal(geometry.handleAt([10, 10, 14, 14], { x: 12, y: 12 }, 8), null));

  test("each handle is found where it is drawn", () => {
    for (const handle of geometry.HANDLES)
      assert.deepEqual(geometry.handleAt(BOX, geometry.handlePoint(BOX, handle), 1), handle);
  });
});

test("of overlapping boxes the smallest one is hit", () => {
  const large = { box: [0, 0, 90, 70] };
  const small = { box: [30, 30, 40, 40] };
  assert.equal(geometry.smallestAt([small, large], { x: 35, y: 35 }), small);
  assert.equal(geometry.smallestAt([small, large], { x: 5, y: 5 }), large);
  assert.equal(geometry.smallestAt([small, large], { x: 95, y: 5 }), null);
});

test("intersection over union", () => {
  assert.equal(geometry.iou(BOX, BOX), 1);
  assert.equal(geometry.iou([0, 0, 10, 10], [5, 0, 15, 10]), 50 / 150);
  assert.equal(geometry.iou([0, 0, 10, 10], [10, 0, 20, 10]), 0);
});
