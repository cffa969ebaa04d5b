import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";

import { Editor } from "../../../src/boxwright/studio/page/edit.js";
import { box, labels } from "./labels.js";

let edits;
let nameless;
let editor;

beforeEach(() => {
  edits = nameless = 0;
  editor = new Editor({ edited: () => (edits += 1), changed: () => {}, nameless: () => (nameless += 1) });
  editor.label = "cat";
  editor.open(labels([box("a", [10, 10, 50, 50]), box("b", [60, 20, 90, 40], "dog")]));
});

const rects = () => editor.boxes.map((each) => each.box);

describe("drawing", () => {
  test("a box gets the class of the last one and is selected", () => {
    assert.equal(editor.add([100.4, 20, 150, 60.2]), true);
    assert.deepEqual(editor.box, { ...box(editor.selected, [100, 20, 150, 60]) });
    assert.equal(edits, 1);
  });

  test("a box without sides is none", () => {
    assert.equal(editor.add([100, 20, 101, 60]), false);
    assert.equal(edits, 0);
  });

  test("without a class the box waits for one", () => {
    editor.label = null;
    editor.add([100, 20, 150, 60]);
    assert.deepEqual([nameless, edits, editor.boxes.length], [1, 0, 2]);
    editor.name("fox");
    assert.equal(editor.box.label, "fox");
    assert.deepEqual([edits, editor.draft], [1, null]);
  });

  test("a box whose class is not chosen is dropped", () => {
    editor.label = null;
    editor.add([100, 20, 150, 60]);
    editor.dropDraft();
    editor.name("fox");
    assert.equal(editor.boxes.length, 2);
  });
});

describe("classes", () => {
  test("a class is for the selected box and the next one", () => {
    editor.select("a");
    editor.name("dog");
    editor.select(null);
    editor.add([100, 20, 150, 60]);
    assert.deepEqual(editor.boxes.map(({ label }) => label), ["dog", "dog", "dog"]);
  });

  test("a locked class stays when a box gets another one", () => {
    editor.name("fox", true);
    editor.select("a");
    editor.name("dog");
    assert.equal(editor.box.label, "dog");
    assert.equal(editor.label, "fox");
    editor.name("fox", true); // again: unlocked
    assert.equal(editor.labelLocked, false);
  });
});

describe("the selected box", () => {
  test("is moved and resized by keys, inside the image", () => {
    editor.select("a");
    editor.nudge(-100, 1);
    editor.stretch({ x: 1, y: null }, 3, 0);
    assert.deepEqual(rects()[0], [0, 11, 43, 51]);
  });

  test("is not moved if it is locked", () => {
    editor.select("a");
    editor.toggleLock();
    editor.nudge(5, 5);
    assert.deepEqual(rects()[0], [10, 10, 50, 50]);
    editor.toggleLock();
    editor.nudge(5, 5);
    assert.deepEqual(rects()[0], [15, 15, 55, 55]);
  });

  test("is deleted, duplicated, copied and pasted", () => {
    editor.select("b");
    editor.copy();
    editor.duplicate();
    assert.deepEqual(rects()[2], [64, 24, 94, 44]);
    editor.remove();
    editor.select("b");
    editor.remove();
    assert.deepEqual(editor.boxes.map(({ key }) => key), ["a"]);
    editor.paste();
    assert.deepEqual(rects()[1], [60, 20, 90, 40]);
    assert.notEqual(editor.boxes[1].key, "b");
  });

  test("gets flags", () => {
    editor.select("a");
    editor.toggle("difficult");
    assert.equal(editor.box.difficult, true);
    editor.toggle("difficult");
    assert.equal(editor.box.difficult, false);
  });

  test("is chosen in turn, with the proposals last", () => {
    const proposals = [{ key: "p", box: [0, 0, 5, 5], label: "cat", score: 1 }];
    editor.open(labels([box("a", [0, 0, 9, 9])], { index: 1, proposals }));
    const seen = [1, 1, 1, -1].map((step) => { editor.selectNext(step); return editor.selected; });
    assert.deepEqual(seen, ["a", "p", "a", "p"]);
  });

  test("is found by a finding's box", () => {
    editor.selectLike([58, 21, 88, 41]);
    assert.equal(editor.selected, "b");
    editor.selectLike([150, 50, 160, 60]);
    assert.equal(editor.selected, null);
  });

  test("takes typed numbers that make a box", () => {
    editor.reshape("a", [10, 10, 50, 500]);
    assert.deepEqual(rects()[0], [10, 10, 50, 100]);
    editor.reshape("a", [50, 10, 10, 20]);
    assert.deepEqual(rects()[0], [10, 10, 50, 100]);
  });
});

describe("boxes of the last image", () => {
  test("are copied once, inside this image", () => {
    editor.open(labels([box("c", [60, 20, 90, 40], "dog")], { index: 1, width: 70, height: 100 }));
    editor.paste();
    assert.deepEqual(rects(), [[60, 20, 90, 40], [10, 10, 50, 50], [40, 20, 70, 40]]);
    editor.pasteLast();
    assert.equal(editor.boxes.length, 3);
  });

  test("stay those of the last image when this one is read again", () => {
    editor.open(labels([], { index: 1 }));
    editor.open(labels([], { index: 1 }));
    editor.pasteLast();
    assert.equal(editor.boxes.length, 2);
  });
});

describe("proposals", () => {
  const proposals = [
    { key: "p", box: [100, 10, 120.6, 30], label: "dog", score: 0.9 },
    { key: "q", box: [130, 10, 150, 30], label: "cat", score: 0.5 },
  ];
  beforeEach(() => editor.open(labels([], { index: 1, proposals })));

  test("all become boxes with their keys", () => {
    assert.equal(editor.acceptAll(), true);
    assert.deepEqual(editor.boxes.map(({ key, label }) => [key, label]), [["p", "dog"], ["q", "cat"]]);
    assert.equal(editor.acceptAll(), false);
    assert.equal(edits, 1);
  });

  test("one that is changed is yours", () => {
    editor.reshape("p", [101, 10, 121, 30]);
    assert.deepEqual(editor.boxes.map(({ key, box: rect }) => [key, rect]), [["p", [101, 10, 121, 30]]]);
    assert.deepEqual(editor.proposals.map(({ key }) => key), ["q"]);
  });

  test("one that is deleted is rejected, which is an edit", () => {
    editor.select("p");
    editor.remove();
    assert.deepEqual([edits, editor.selected, editor.settled], [1, "q", ["p"]]);
    editor.acceptAll();
    assert.deepEqual([editor.boxes.length, editor.settled], [1, ["p", "q"]]);
  });

  test("those that an unsaved edit has settled are not shown again", () => {
    editor.open(labels([box("p", [1, 1, 9, 9])], { index: 2, proposals, settled: ["p"] }));
    assert.deepEqual([editor.proposals.map(({ key }) => key), editor.settled], [["q"], ["p"]]);
  });

  test("come back by undo", () => {
    editor.acceptAll();
    editor.reload(labels([], { index: 1, proposals }));
    assert.deepEqual([editor.proposals, editor.settled], [proposals, []]);
  });

  test("never change while the image is open", () => {
    const others = [{ key: "r", box: [0, 0, 9, 9], label: "cat", score: 0.9 }];
    editor.saved(labels([box("p", [1, 1, 9, 9])], { index: 1, proposals: others }), new Map());
    assert.deepEqual([editor.proposals.map(({ key }) => key), editor.settled], [["q"], ["p"]]);
  });
});

describe("an answer of the server", () => {
  test("gives keys, which keep the selection and the locks", () => {
    editor.add([100, 20, 150, 60]);
    editor.toggleLock();
    const key = editor.selected;
    const answer = editor.boxes.map((each) => (each.key === key ? { ...each, key: "c" } : each));
    editor.saved(labels(answer), new Map([[key, "c"]]));
    assert.equal(editor.selected, "c");
    assert.equal(editor.locked.has("c"), true);
  });

  test("with other labels keeps the selection and the locks of what is still there", () => {
    editor.select("b");
    editor.toggleLock();
    editor.reload(labels([box("a", [60, 20, 90, 40], "dog"), box("b", [10, 10, 50, 50])]));
    assert.deepEqual([editor.selected, [...editor.locked]], ["a", ["a"]]);
    editor.reload(labels([box("a", [10, 10, 50, 50])]));
    assert.deepEqual([editor.selected, [...editor.locked]], [null, []]);
  });
});

test("verified is an edit, hiding is none", () => {
  editor.toggleVerified();
  editor.toggleHidden();
  assert.deepEqual([editor.verified, editor.hidden, edits], [true, true, 1]);
});

test("the page knows if it is at what the server has", () => {
  const proposal = { key: "p", box: [1, 1, 9, 9], label: "cat", score: 0.9 };
  editor.open(labels([], { proposals: [proposal] }));
  assert.equal(editor.isAt("e0", ["p"]), true);
  assert.equal(editor.isAt("e0"), true);
  assert.equal(editor.isAt("e0", []), false);
  assert.equal(editor.isAt("e0-verified", ["p"]), false);
});

test("classes that another page edits are those of the next boxes too", () => {
  editor.open(labels([box("a", [10, 10, 50, 50]), box("b", [60, 20, 90, 40], "dog")], {
    proposals: [{ key: "p", box: [1, 1, 9, 9], label: "cat", score: 0.9 }],
  }));
  editor.select("b");
  editor.copy();
  editor.rename([["cat", "kitty"], ["dog", null]], 0, "kitty");
  assert.deepEqual(editor.boxes.map(({ key, label }) => [key, label]), [["a", "kitty"]]);
  assert.deepEqual(editor.proposals.map(({ label }) => label), ["kitty"]);
  assert.deepEqual([editor.label, editor.copied, editor.image.moves, edits], ["kitty", null, 2, 0]);
});
