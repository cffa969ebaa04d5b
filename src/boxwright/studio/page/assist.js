// The assistant's side: events of the server, the training's state, the quality line.

import { drawn } from "./curves.js";
import { duration, fill, h, some } from "../../web/page/dom.js";

/** @typedef {{state: "waiting"|"training"|"idle"|"missing", reason?: string, round?: number,
 *   step?: number, steps?: number, loss?: number, seconds_left?: number, images?: number}} Training */
/** @typedef {{labeled: number, ap50: number, low: number, high: number, images: number}} Point */
/** @typedef {{kind: string, data: any}} Told */

const KINDS = ["image", "classes", "proposals", "training", "quality", "problem", "finish"];
/** Events that describe a state: a tab that opens later needs the last one. */
const STATES = ["training", "quality", "finish"];

/** Hear the server's events. A server lets a browser have six connections, so only one tab of a
 * browser asks for events, the one that holds the lock, and hands them to the others.
 * @param {(kind: string, data: any) => void} heard @param {(connected: boolean) => void} connected
 * @returns {() => void} to hear no more */
export function listen(heard, connected) {
  /** @type {EventSource|null} */
  let source = null;
  const stop = () => source?.close();
  if (!navigator.locks) {
    source = open(heard, connected); // another host without HTTPS: each tab asks
    return stop;
  }
  const channel = new BroadcastChannel("boxwright-events");
  /** @type {Map<string, Told>} */
  const last = new Map();
  let leads = false;
  channel.onmessage = ({ data: told }) => {
    if (leads && told.kind === "hello") for (const each of last.values()) channel.postMessage(each);
    else if (told.kind === "connected") connected(told.data);
    else if (!leads && told.kind !== "hello") heard(told.kind, told.data);
  };
  channel.postMessage({ kind: "hello", data: null });
  void navigator.locks.request("boxwright-events", () => {
    leads = true;
    source = open((kind, data) => {
      const told = { kind, data };
      if (STATES.includes(kind)) last.set(kind, told);
      channel.postMessage(told);
      heard(kind, data);
    }, (is) => {
      channel.postMessage({ kind: "connected", data: is });
      connected(is);
    });
    return new Promise(() => {}); // until the tab is closed
  });
  return stop;
}

/** @param {(kind: string, data: any) => void} heard @param {(connected: boolean) => void} connected */
function open(heard, connected) {
  const source = new EventSource("/api/events");
  source.onopen = () => connected(true);
  source.onerror = () => connected(false); // it tries again by itself
  for (const kind of KINDS)
    source.addEventListener(kind, (event) => heard(kind, JSON.parse(/** @type {MessageEvent} */ (event).data)));
  return source;
}

/** What the training does, in one sentence. @param {Training} training */
export function sentence(training) {
  const { state, reason = "", round, images, seconds_left: left } = training;
  if (state === "training") {
    const rest = left === undefined || left === null ? "" : `, ${duration(left)} left`;
    const on = images ? ` on ${some(images, "image")}` : "";
    return `Training${round ? `, round ${round}` : ""}${on}${rest}`;
  }
  if (reason) return reason;
  return state === "idle" ? "Trained with all labels so far" : "Training starts by itself after a few labels";
}

/** @param {Training} training @returns {number} from 0 to 1 */
export const share = ({ state, step = 0, steps = 0 }) =>
  (state === "training" && steps > 0 ? Math.min(step / steps, 1) : 0);

export class AssistPanel {
  /** @param {HTMLElement} element */
  constructor(element) {
    this.status = h("p", { role: "status" });
    this.bar = h("progress", { max: 1, value: 0, hidden: true, aria: { label: "Progress of the training" } });
    this.quality = h("div");
    element.append(this.status, this.bar, this.quality);
    /** @type {Training} */
    this.training = { state: "waiting" };
    this.show(this.training);
    this.line([]);
  }

  /** @param {Training} training */
  show(training) {
    this.training = { ...(training.state === this.training.state ? this.training : {}), ...training };
    const text = sentence(this.training);
    if (this.status.textContent !== text) this.status.textContent = text;
    this.bar.hidden = this.training.state !== "training";
    this.bar.value = share(this.training);
  }

  /** @param {Point[]} points */
  line(points) {
    const last = points.at(-1);
    const chart = drawn({
      title: "Quality on test images", x: "labeled images", range: [0, 1],
      lines: [{
        name: "AP50",
        points: points.map(({ labeled, ap50 }) => [labeled, ap50]),
        band: points.map(({ labeled, low, high }) => [labeled, low, high]),
      }],
    });
    if (!last || !chart) {
      fill(this.quality, h("p", { className: "faint" },
        "The quality appears here once test images are labeled and a round is trained."));
      return;
    }
    fill(this.quality,
      h("p", {}, h("b", { className: "number" }, last.ap50.toFixed(2)), ` AP50 on ${some(last.images, "test image")} `,
        h("span", { className: "faint" }, `(95 %: ${last.low.toFixed(2)} to ${last.high.toFixed(2)})`)),
      chart);
  }
}
