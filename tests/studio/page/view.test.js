import assert from "node:assert/strict";
import { test } from "node:test";

import * as view from "../../../src/boxwright/studio/page/view.js";

const IMAGE = { width: 400, height: 200 };
const WINDOW = { width: 832, height: 600 };
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

test("a fitted image is whole and in the middle", () => {
  assert.deepEqual(view.fit(IMAGE, WINDOW), { scale: 2, x: 16, y: 100 });
});

test("a high image leaves room for the signs above it", () => {
  assert.deepEqual(view.fit({ width: 100, height: 528 }, WINDOW), { scale: 1, x: 366, y: 56 });
});

test("a small image is enlarged at most four times", () => {
  assert.equal(view.fit({ width: 10, height: 10 }, WINDOW).scale, 4);
});

test("screen and image points are inverse", () => {
  const at = { scale: 2.5, x: -30, y: 12 };
  assert.deepEqual(view.toScreen(at, view.toImage(at, { x: 7, y: 90 })), { x: 7, y: 90 });
});

test("the point under the pointer stays there when the wheel turns", () => {
  const anchor = { x: 300, y: 250 };
  const before = view.fit(IMAGE, WINDOW);
  const after = view.zoomed(before, 1.7, anchor, IMAGE, WINDOW);
  near(after.scale, 3.4);
  near(view.toImage(after, anchor).x, view.toImage(before, anchor).x);
  near(view.toImage(after, anchor).y, view.toImage(before, anchor).y);
});

test("the scale has limits", () => {
  const anchor = { x: 0, y: 0 };
  const before = view.fit(IMAGE, WINDOW);
  assert.equal(view.zoomed(before, 1e9, anchor, IMAGE, WINDOW).scale, view.MAX_SCALE);
  assert.equal(view.zoomed(before, 1e-9, anchor, IMAGE, WINDOW).scale, 0.5);
});

test("the image cannot be moved out of the window", () => {
  const far = view.panned(view.fit(IMAGE, WINDOW), 1e6, -1e6, IMAGE, WINDOW);
  assert.ok(far.x < WINDOW.width);
  assert.ok(far.y + IMAGE.height * far.scale > 0);
});

test("a wheel's notch and a trackpad's pinch are moderate steps", () => {
  const notch = view.wheelFactor({ deltaY: -100, deltaMode: 0, ctrlKey: false });
  assert.ok(notch > 1.1 && notch < 1.4);
  assert.equal(view.wheelFactor({ deltaY: -3, deltaMode: 1, ctrlKey: false }) > 1, true);
  const pinch = view.wheelFactor({ deltaY: 5, deltaMode: 0, ctrlKey: true });
  assert.ok(pinch < 1 && pinch > 0.9);
});
