// Starts the page: reads the folder, opens the image where one was, and hands keys to commands.

import { listen } from "./assist.js";
import { commandsOf, drawingKey } from "./commands.js";
import { byId, h } from "../../web/page/dom.js";
import { addOwn, chordOf, chordsOf } from "./keys.js";
import { Server } from "./store.js";
import { Studio } from "./studio.js";
import { showKeys } from "./toolbar.js";

const TYPED = "input:not([type=checkbox], [type=range], [type=file]), textarea, select";
const PRESSED = "button, input"; // by Enter or Space
/** @param {KeyboardEvent} event */
const isTyped = ({ target }) => /** @type {HTMLElement} */ (target).matches(TYPED);

/** Whether a key is for a dialog, a text or the button that has the focus.
 * @param {KeyboardEvent} event @param {string} chord */
function isForAnother(event, chord) {
  if (event.isComposing || event.defaultPrevented || document.querySelector("dialog[open]")) return true;
  if (isTyped(event)) return chord !== "ctrl+s";
  return (chord === "enter" || chord === "space") && /** @type {HTMLElement} */ (event.target).matches(PRESSED);
}

/** @param {import("./store.js").Server} server @param {Studio} studio @param {() => void} stop hear no more */
function bind(server, studio, stop) {
  let keys = chordsOf(studio.folder.keys);
  const choosePreset = (/** @type {string} */ preset) => {
    studio.folder.keys = preset;
    keys = chordsOf(preset);
    showKeys(preset);
    server.post("/api/keys", { preset }).catch((error) => studio.failed(error));
  };
  const quit = async () => {
    try {
      await server.post("/api/quit");
    } catch (error) {
      studio.failed(error);
      return;
    }
    stop();
    document.body.replaceChildren(h("p", { className: "card", role: "status" },
      "The studio has ended. You can close this page."));
  };
  const commands = commandsOf(studio, choosePreset, quit);
  showKeys(studio.folder.keys);

  document.addEventListener("keydown", (event) => {
    const chord = chordOf(event);
    if (chord === "escape" && isTyped(event)) studio.stage.element.focus();
    if (isForAnother(event, chord)) return;
    if (studio.view !== "finish" && drawingKey(studio, chord)) {
      event.preventDefault();
      return;
    }
    const name = keys.get(chord);
    if (!name || (studio.view === "finish" && !/^(go-|help|save)/.test(name))) return;
    event.preventDefault();
    void commands[name]();
  });

  document.addEventListener("click", (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest("button");
    const name = button?.dataset.action;
    if (name) void commands[name]();
    // After a click the keys are for the image again; who uses Tab stays on the button.
    if (button && event.detail > 0 && button.closest("#tools, #title, #classes, #offer")) studio.stage.element.focus();
  });

  addEventListener("beforeunload", (event) => {
    if (!studio.saver.unsaved.length) return;
    void studio.saver.flushAll();
    event.preventDefault();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) void studio.saver.flushAll(); });
}

async function start() {
  const server = new Server((path, options) => fetch(path, options));
  const folder = await server.get("/api/folder");
  byId("folder").textContent = folder.name;
  document.title = `${folder.name} – Boxwright studio`;
  document.body.classList.toggle("viewing", folder.read_only);
  const studio = new Studio(server, folder);
  const unknown = folder.own_keys ? addOwn(folder.own_keys) : [];
  if (unknown.length) studio.notices.say(`Your file of keys names what is no action: ${unknown.join(", ")}.`);
  bind(server, studio, listen((kind, data) => studio.hear(kind, data), (connected) => studio.connection(connected)));
  if (!folder.images) {
    studio.notices.keep("empty", { message: "There is no image in this folder." });
    return;
  }
  const first = folder.current ?? 0;
  const loaded = studio.images.load(first, folder.images);
  await studio.open(first);
  studio.stage.element.focus();
  await loaded;
  studio.list.select(studio.list.current);
}

start().catch((error) => {
  document.body.prepend(Object.assign(document.createElement("p"), {
    className: "notice problem", textContent: `${error.message} ${error.remedy ?? ""}`,
  }));
});
