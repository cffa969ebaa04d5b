// The key map: one table. A preset names the chords that differ from LabelImg's.

/**
 * @typedef {object} Action
 * @property {string} name
 * @property {string} text what it does, for the page of keys
 * @property {string[]} chords
 * @property {"Go"|"Draw"|"Box"|"Class"|"Image"|"See"|"Studio"} group
 */

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"];

/** @type {(group: Action["group"], name: string, text: string, ...chords: string[]) => Action} */
const action = (group, name, text, ...chords) => ({ group, name, text, chords });

/** @type {Action[]} */
export const ACTIONS = [
  action("Go", "next", "next image, or next finding", "d", "pagedown"),
  action("Go", "previous", "previous image, or previous finding", "a", "pageup"),
  action("Go", "unlabeled", "next unlabeled image", "n"),
  action("Go", "accept", "accept all proposals and go on", "enter"),
  action("Go", "keeping", "next image, with copies of these boxes", "shift+d"),
  action("Go", "search", "search images", "ctrl+p"),
  action("Draw", "draw", "draw a box: drag, or arrows and Enter", "w", "r"),
  action("Draw", "extreme", "draw by the four extreme points of an object", "x"),
  action("Draw", "cancel", "cancel, or select nothing", "escape"),
  action("Box", "after", "select the next box", "e"),
  action("Box", "before", "select the previous box", "q"),
  action("Box", "delete", "delete the box, or reject the proposal", "delete", "backspace"),
  action("Box", "duplicate", "duplicate the box", "ctrl+d"),
  action("Box", "copy", "copy the box", "ctrl+c"),
  action("Box", "paste", "paste the copied box, else all boxes of the last image", "ctrl+v"),
  action("Box", "paste-last", "copy all boxes of the last image", "ctrl+shift+v"),
  action("Box", "left", "move left by 1 pixel", "arrowleft"),
  action("Box", "right", "move right by 1 pixel", "arrowright"),
  action("Box", "up", "move up by 1 pixel", "arrowup"),
  action("Box", "down", "move down by 1 pixel", "arrowdown"),
  action("Box", "far-left", "move left by 10 pixels", "shift+arrowleft"),
  action("Box", "far-right", "move right by 10 pixels", "shift+arrowright"),
  action("Box", "far-up", "move up by 10 pixels", "shift+arrowup"),
  action("Box", "far-down", "move down by 10 pixels", "shift+arrowdown"),
  action("Box", "narrower", "move the right side left", "alt+arrowleft"),
  action("Box", "wider", "move the right side right", "alt+arrowright"),
  action("Box", "shorter", "move the bottom side up", "alt+arrowup"),
  action("Box", "taller", "move the bottom side down", "alt+arrowdown"),
  action("Box", "left-out", "move the left side left", "ctrl+alt+arrowleft"),
  action("Box", "left-in", "move the left side right", "ctrl+alt+arrowright"),
  action("Box", "top-out", "move the top side up", "ctrl+alt+arrowup"),
  action("Box", "top-in", "move the top side down", "ctrl+alt+arrowdown"),
  action("Box", "difficult", "difficult to recognize", "i"),
  action("Box", "truncated", "truncated: a part is outside the image", "t"),
  action("Box", "occluded", "occluded: a part is hidden", "o"),
  action("Box", "crowd", "crowd: several objects in one box", "g"),
  action("Box", "lock", "lock the box, so that no drag moves it", "l"),
  ...DIGITS.map((digit, i) =>
    action("Class", `class-${i}`, `class ${i + 1}, also of the selected box`, digit)),
  ...DIGITS.map((digit, i) =>
    action("Class", `lock-class-${i}`, `lock class ${i + 1} for all new boxes`, `ctrl+${digit}`)),
  action("Class", "choose-class", "search or add a class", "/", "ctrl+e"),
  action("Image", "verify", "verified: this image is complete, also without a box", "space"),
  action("Image", "undo", "undo", "ctrl+z"),
  action("Image", "redo", "redo", "ctrl+shift+z", "ctrl+y"),
  action("Image", "aside", "set the image aside, or take it back", "shift+s"),
  action("Image", "save", "save now; edits are saved by themselves too", "ctrl+s"),
  action("See", "zoom-in", "enlarge", "+", "=", "ctrl++", "ctrl+="),
  action("See", "zoom-out", "make smaller", "-", "ctrl+-"),
  action("See", "fit", "fit the image", "f", "ctrl+f"),
  action("See", "actual", "one image pixel on one screen pixel", "v"),
  action("See", "hide", "hide or show all boxes", "h"),
  action("Studio", "go-label", "label", "alt+1"),
  action("Studio", "go-review", "review", "alt+2"),
  action("Studio", "go-finish", "finish", "alt+3"),
  action("Studio", "help", "this page", "?"),
];

const VIEWED = new Set(["search", "after", "zoom-in", "zoom-out", "fit", "actual", "hide", "help"]);

/** The keys where labels are only shown; the first three are those of the OIDv4 ToolKit's visualizer.
 * @type {Action[]} */
const VIEWING = [
  action("Go", "next", "next image", "d", "pagedown"),
  action("Go", "previous", "previous image", "a", "pageup"),
  action("Go", "quit", "quit", "q"),
  action("Box", "cancel", "select no box", "escape"),
  ...ACTIONS.filter(({ name }) => VIEWED.has(name)),
];

/** Chords that a preset gives to actions, instead of LabelImg's.
 * @type {Record<string, {title: string, chords: Record<string, string[]>}>} */
export const PRESETS = {
  labelimg: { title: "LabelImg", chords: {} },
  vott: {
    title: "VoTT",
    chords: {
      next: ["s", "d", "pagedown"],
      previous: ["w", "a", "pageup"],
      draw: ["r"],
      left: ["ctrl+arrowleft"], right: ["ctrl+arrowright"],
      up: ["ctrl+arrowup"], down: ["ctrl+arrowdown"],
      narrower: ["ctrl+alt+arrowleft"], shorter: ["ctrl+alt+arrowup"],
      wider: ["ctrl+shift+arrowright"], taller: ["ctrl+shift+arrowdown"],
      "left-out": ["ctrl+shift+arrowleft"], "top-out": ["ctrl+shift+arrowup"],
      "left-in": ["ctrl+alt+arrowright"], "top-in": ["ctrl+alt+arrowdown"],
    },
  },
  cvat: {
    title: "CVAT",
    chords: {
      next: ["f", "pagedown"],
      previous: ["d", "pageup"],
      draw: ["n", "w", "r"],
      unlabeled: ["u"],
      keeping: ["shift+f"],
      fit: ["ctrl+f"],
    },
  },
};

/** Make a preset of the user's own keys, in place of those of LabelImg.
 * @param {Record<string, string[]>} keys as written in a file
 * @returns {string[]} the names in it that are no actions */
export function addOwn(keys) {
  /** @type {Record<string, string[]>} */
  const chords = {};
  for (const [name, each] of Object.entries(keys)) chords[name] = each.map(ordered);
  const taken = new Set(Object.values(chords).flat());
  for (const { name, chords: usual } of ACTIONS)
    if (!chords[name] && usual.some((chord) => taken.has(chord)))
      chords[name] = usual.filter((chord) => !taken.has(chord));
  PRESETS.own = { title: "my file", chords };
  const names = new Set(ACTIONS.map(({ name }) => name));
  return Object.keys(keys).filter((name) => !names.has(name));
}

/** A chord with its modifiers in the order of `chordOf`. @param {string} chord */
function ordered(chord) {
  const parts = chord.toLowerCase().split(/\+(?=.)/);
  const held = ["ctrl", "alt", "shift"].filter((each) => parts.slice(0, -1).includes(each));
  return [...held, parts.at(-1)].join("+");
}

/** The keys of a preset as the text of a file. @param {string} preset */
export const asFile = (preset) =>
  `${JSON.stringify(Object.fromEntries(actionsOf(preset).map(({ name, chords }) => [name, chords])), null, 1)}\n`;

/** The actions of a preset, in the table's order.
 * @param {string} preset one of PRESETS, or "viewing" @returns {Action[]} */
export function actionsOf(preset) {
  if (preset === "viewing") return VIEWING;
  const own = (PRESETS[preset] ?? PRESETS.labelimg).chords;
  return ACTIONS.map((each) => ({ ...each, chords: own[each.name] ?? each.chords }));
}

/** @param {string} preset @returns {Map<string, string>} chord -> action */
export function chordsOf(preset) {
  return new Map(actionsOf(preset).flatMap(({ name, chords }) => chords.map((each) => [each, name])));
}

/** The chord of a key event, such as "ctrl+shift+z"; Command counts as Ctrl.
 * @param {Pick<KeyboardEvent, "key"|"code"|"ctrlKey"|"metaKey"|"altKey"|"shiftKey">} event */
export function chordOf(event) {
  const name = keyName(event);
  const ctrl = event.ctrlKey || event.metaKey ? "ctrl+" : "";
  const alt = event.altKey ? "alt+" : "";
  // Shift is part of a sign such as "?", and a modifier of everything else.
  const shift = event.shiftKey && (name.length > 1 || /[\p{L}\d]/u.test(name)) ? "shift+" : "";
  return `${ctrl}${alt}${shift}${name}`;
}

/** @param {Pick<KeyboardEvent, "key"|"code">} event */
function keyName({ key, code }) {
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(code);
  // By its place: with some layouts a digit needs Shift. The sign of the same key stays a sign.
  if (digit && !/^[?/+=-]$/.test(key)) return digit[1];
  if (key === " ") return "space";
  const letter = /^Key([A-Z])$/.exec(code);
  // Layouts without Latin letters: by the place of the key.
  if (letter && !/^[a-z]$/i.test(key)) return letter[1].toLowerCase();
  return key.toLowerCase();
}

const SIGNS = new Map(Object.entries({
  arrowleft: "←", arrowright: "→", arrowup: "↑", arrowdown: "↓", pagedown: "PgDn", pageup: "PgUp",
  space: "Space", enter: "Enter", escape: "Esc", delete: "Del", backspace: "Backspace",
  ctrl: "Ctrl", alt: "Alt", shift: "Shift",
}));

/** A chord as people write it.
 * @param {string} chord */
export const written = (chord) =>
  chord.split(/\+(?=.)/).map((part) => SIGNS.get(part) ?? part.toUpperCase()).join("+");
