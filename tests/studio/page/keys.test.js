import assert from "node:assert/strict";
import { describe, test } from "node:test";

import { ACTIONS, actionsOf, addOwn, asFile, chordOf, chordsOf, PRESETS, written } from "../../../src/boxwright/studio/page/keys.js";

const press = (key, code, held = "") => chordOf({
  key, code, ctrlKey: held.includes("c"), metaKey: held.includes("m"), altKey: held.includes("a"),
  shiftKey: held.includes("s"),
});

describe("chords", () => {
  for (const [expected, ...event] of [
    ["d", "d", "KeyD"],
    ["shift+d", "D", "KeyD", "s"],
    ["ctrl+shift+z", "Z", "KeyZ", "cs"],
    ["ctrl+z", "z", "KeyZ", "m"],
    ["?", "?", "Slash", "s"],
    ["/", "/", "Digit7", "s"],
    ["1", "1", "Digit1"],
    ["1", "&", "Digit1"],
    ["ctrl+1", "1", "Digit1", "c"],
    ["space", " ", "Space"],
    ["ctrl+alt+arrowleft", "ArrowLeft", "ArrowLeft", "ca"],
    ["shift+arrowleft", "ArrowLeft", "ArrowLeft", "s"],
    ["d", "в", "KeyD"],
    ["ctrl++", "+", "NumpadAdd", "c"],
  ])
    test(`${event.join(" ")} is ${expected}`, () => assert.equal(press(...event), expected));
});

describe("presets", () => {
  for (const preset of Object.keys(PRESETS)) {
    test(`${preset} gives each chord to one action`, () => {
      const all = actionsOf(preset).flatMap(({ chords }) => chords);
      assert.deepEqual(all.filter((chord, i) => all.indexOf(chord) !== i), []);
    });
    test(`${preset} has a key for every action, and names only actions`, () => {
      assert.deepEqual(actionsOf(preset).filter(({ chords }) => !chords.length), []);
      const names = ACTIONS.map(({ name }) => name);
      assert.deepEqual(Object.keys(PRESETS[preset].chords).filter((name) => !names.includes(name)), []);
    });
    test(`${preset} takes no chord that a browser keeps`, () => {
      for (const chord of ["ctrl+w", "ctrl+t", "ctrl+n", "ctrl+tab"]) assert.equal(chordsOf(preset).has(chord), false);
    });
  }

  test("LabelImg's keys, those of VoTT and of CVAT", () => {
    const [labelimg, vott, cvat] = ["labelimg", "vott", "cvat"].map(chordsOf);
    assert.deepEqual(["d", "a", "w", "space", "ctrl+d", "ctrl+e"].map((chord) => labelimg.get(chord)),
      ["next", "previous", "draw", "verify", "duplicate", "choose-class"]);
    assert.deepEqual(["s", "w", "r"].map((chord) => vott.get(chord)), ["next", "previous", "draw"]);
    assert.deepEqual(["f", "d", "n"].map((chord) => cvat.get(chord)), ["next", "previous", "draw"]);
  });
});

test("where labels are only shown, d, a and q are the keys of the ToolKit's visualizer, and none edits", () => {
  const viewing = chordsOf("viewing");
  assert.deepEqual(["d", "a", "q"].map((chord) => viewing.get(chord)), ["next", "previous", "quit"]);
  const others = [...viewing.values()].filter((name) => name !== "quit" && !ACTIONS.some((each) => each.name === name));
  assert.deepEqual(others, []);
  for (const chord of ["w", "x", "delete", "space", "ctrl+v", "ctrl+z", "enter", "1", "shift+s"])
    assert.equal(viewing.has(chord), false);
});

describe("a file of keys", () => {
  test("has the keys of all actions", () => {
    const said = JSON.parse(asFile("vott"));
    assert.deepEqual(Object.keys(said), ACTIONS.map(({ name }) => name));
    assert.deepEqual(said.next, ["s", "d", "pagedown"]);
  });
  test("takes keys from other actions, and says what is no action", () => {
    assert.deepEqual(addOwn({ next: ["J"], previous: ["Shift+Ctrl+K", "w"], jump: ["x"] }), ["jump"]);
    const keys = chordsOf("own");
    assert.deepEqual(["j", "ctrl+shift+k", "w", "r", "d", "a"].map((chord) => keys.get(chord)),
      ["next", "previous", "previous", "draw", undefined, undefined]);
    assert.equal(chordsOf("labelimg").get("w"), "draw");
    delete PRESETS.own;
  });
});

test("chords as people write them", () => {
  assert.deepEqual(["ctrl+shift+z", "+", "ctrl++", "arrowleft", "pagedown"].map(written),
    ["Ctrl+Shift+Z", "+", "Ctrl++", "←", "PgDn"]);
});
