// What each action of the key map does.

import { showHelp } from "./help.js";
import { lastSaved } from "./notices.js";

/** @typedef {import("./studio.js").Studio} Studio */

const STEP = 10; // pixels of a step with Shift
const ZOOM = 1.25;
const ARROWS = { left: [-1, 0], right: [1, 0], up: [0, -1], down: [0, 1] };
/** @type {Record<string, [import("./geometry.js").Handle, number, number]>} */
const SIDES = {
  narrower: [{ x: 1, y: null }, -1, 0], wider: [{ x: 1, y: null }, 1, 0],
  shorter: [{ x: null, y: 1 }, 0, -1], taller: [{ x: null, y: 1 }, 0, 1],
  "left-out": [{ x: 0, y: null }, -1, 0], "left-in": [{ x: 0, y: null }, 1, 0],
  "top-out": [{ x: null, y: 0 }, 0, -1], "top-in": [{ x: null, y: 0 }, 0, 1],
};

/** @param {Studio} studio @param {(preset: string) => void} choosePreset @param {() => unknown} quit
 * @returns {Record<string, () => unknown>} action -> what it does */
export function commandsOf(studio, choosePreset, quit) {
  const { editor, stage, list } = studio;
  const { gestures } = stage;
  /** @type {Record<string, () => unknown>} */
  const commands = {
    next: () => studio.go(1),
    previous: () => studio.go(-1),
    unlabeled: () => studio.goNext("unlabeled"),
    accept: () => studio.accept(),
    keeping: () => studio.keepBoxes(),
    search: () => list.text.focus(),
    draw: () => gestures.use("draw"),
    extreme: () => gestures.use("extreme"),
    cancel: () => { if (!gestures.cancel()) editor.select(null); },
    after: () => editor.selectNext(1),
    before: () => editor.selectNext(-1),
    delete: () => editor.remove(),
    duplicate: () => editor.duplicate(),
    copy: () => editor.copy(),
    paste: () => editor.paste(),
    "paste-last": () => editor.pasteLast(),
    lock: () => editor.toggleLock(),
    "choose-class": () => studio.searchClass(),
    verify: () => editor.toggleVerified(),
    undo: () => studio.step("undo"),
    redo: () => studio.step("redo"),
    aside: () => studio.aside.toggle(),
    save: async () => { if (await studio.saver.flushAll()) studio.notices.say(lastSaved(studio.saver)); },
    "zoom-in": () => stage.zoom(ZOOM),
    "zoom-out": () => stage.zoom(1 / ZOOM),
    fit: () => stage.fit(),
    actual: () => stage.actual(),
    hide: () => editor.toggleHidden(),
    "go-label": () => studio.show("label"),
    "go-review": () => studio.show("review"),
    "go-finish": () => studio.show("finish"),
    help: () => showHelp(studio.folder.keys, choosePreset),
    quit,
  };
  for (const [name, [dx, dy]] of Object.entries(ARROWS)) {
    commands[name] = () => editor.nudge(dx, dy);
    commands[`far-${name}`] = () => editor.nudge(STEP * dx, STEP * dy);
  }
  for (const [name, [handle, dx, dy]] of Object.entries(SIDES))
    commands[name] = () => editor.stretch(handle, dx, dy);
  for (const flag of /** @type {import("./edit.js").Flag[]} */ (["difficult", "truncated", "occluded", "crowd"]))
    commands[flag] = () => {
      if (studio.folder.holds.includes(flag)) editor.toggle(flag);
      else {
        const way = "boxwright convert writes a format that can, such as voc.";
        studio.notices.say(`${studio.folder.format} files cannot hold “${flag}”.`, way);
      }
    };
  for (let i = 0; i < 10; i += 1) {
    const name = (/** @type {boolean} */ lock) => () => {
      if (studio.classes[i]) editor.name(studio.classes[i], lock);
    };
    commands[`class-${i}`] = name(false);
    commands[`lock-class-${i}`] = name(true);
  }
  return commands;
}

/** While a box is drawn, arrow keys move the cross and Enter sets a point.
 * @param {Studio} studio @param {string} chord @returns {boolean} whether it was such a key */
export function drawingKey({ stage }, chord) {
  const { gestures } = stage;
  if (gestures.tool === "select") return false;
  const parts = chord.split("+");
  const arrow = ARROWS[/** @type {keyof typeof ARROWS} */ (parts.at(-1)?.replace("arrow", ""))];
  if (arrow && parts.at(-1)?.startsWith("arrow")) {
    gestures.cursor ??= stage.middle;
    const screen = parts.includes("shift") ? 50 : 10;
    const far = parts.includes("alt") ? 1 : Math.max(1, Math.round(screen / stage.view.scale));
    gestures.step(arrow[0] * far, arrow[1] * far);
    return true;
  }
  if (chord !== "enter" && chord !== "space") return false;
  gestures.cursor ??= stage.middle;
  gestures.place();
  return true;
}
