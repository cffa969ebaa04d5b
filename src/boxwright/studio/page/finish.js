// Train with a budget, export, report, and try the detector on an image.

import { duration, fill, h } from "../../web/page/dom.js";
import { tryImages } from "../../web/page/try.js";
import { drawn } from "./curves.js";

/** @typedef {import("./curves.js").Pair} Pair */
/**
 * @typedef {object} Told an event of a job
 * @property {string} job
 * @property {"train"|"export"|"report"} kind
 * @property {"running"|"done"|"failed"} state
 * @property {number} [step]
 * @property {number} [steps]
 * @property {number} [loss]
 * @property {number} [ap50]
 * @property {number} [seconds_left]
 * @property {string} [text]
 * @property {string} [result]
 * @property {string} [message]
 * @property {string} [remedy]
 */
/** @typedef {{job: string, told: Told|null, losses: Pair[], scores: Pair[]}} Job */

/** What a job has told so far, with one event more. @param {Job} job @param {Told} told @returns {Job} */
export function followed(job, told) {
  const fresh = job.job === told.job ? job : { job: told.job, told: null, losses: [], scores: [] };
  const at = told.step ?? fresh.told?.step ?? 0;
  const finite = (/** @type {number|undefined} */ value) => value !== undefined && Number.isFinite(value);
  return {
    job: told.job,
    told: { ...fresh.told, ...told },
    losses: finite(told.loss) ? [...fresh.losses, [at, /** @type {number} */ (told.loss)]] : fresh.losses,
    scores: finite(told.ap50) ? [...fresh.scores, [at, /** @type {number} */ (told.ap50)]] : fresh.scores,
  };
}

/** One part of the page: a button that starts a job, its command line, and what it tells. */
class Part {
  /** @param {string} id @param {(body: any) => Promise<{job: string, command: string}>} start
   * @param {() => object} body */
  constructor(id, start, body) {
    const element = /** @type {HTMLElement} */ (document.getElementById(id));
    this.button = /** @type {HTMLButtonElement} */ (element.querySelector("button.main"));
    this.output = /** @type {HTMLElement} */ (element.querySelector(".output"));
    this.command = h("pre", { hidden: true, tabIndex: 0, aria: { label: "The command line that this is" } });
    this.bar = h("progress", { max: 1, hidden: true, aria: { label: "Progress" } });
    this.said = h("p", { role: "status" });
    this.charts = h("div", { className: "charts" });
    this.output.append(this.command, this.bar, this.said, this.charts);
    /** @type {Job} */
    this.job = { job: "", told: null, losses: [], scores: [] };
    this.button.addEventListener("click", () => void this.#press(start, body));
  }

  /** @param {(body: any) => Promise<{job: string, command: string}>} start @param {() => object} body */
  async #press(start, body) {
    this.button.disabled = true;
    this.said.className = "";
    this.said.textContent = "Starting…";
    try {
      const { command } = await start(body());
      this.command.textContent = command;
      this.command.hidden = false;
    } catch (error) {
      this.button.disabled = false;
      this.#wrong(/** @type {any} */ (error));
    }
  }

  /** @param {{message?: string, remedy?: string}} problem */
  #wrong({ message = "It failed.", remedy = "" }) {
    this.said.className = "error";
    this.said.textContent = `${message} ${remedy}`.trim();
  }

  /** @param {Told} told */
  hear(told) {
    this.job = followed(this.job, told);
    const { state, step = 0, steps = 0, seconds_left: left, result, text } = /** @type {Told} */ (this.job.told);
    this.bar.hidden = state !== "running";
    if (steps) this.bar.value = step / steps;
    else this.bar.removeAttribute("value");
    if (state === "failed") this.#wrong(told);
    else {
      this.said.className = "";
      const rest = left === undefined || left === null ? "" : `${duration(left)} left`;
      this.said.textContent = state === "done"
        ? [text, result && `Written: ${result}`].filter(Boolean).join(" ") || "Done."
        : [text, rest].filter(Boolean).join(", ") || "Running…";
    }
    this.#curves();
  }

  #curves() {
    const { losses, scores } = this.job;
    const loss = losses.length > 1 && drawn({ title: "Loss", x: "steps", lines: [{ name: "loss", points: losses }] });
    const score = scores.length > 0 && drawn({ title: "AP50 of the validation", x: "steps", range: [0, 1],
      lines: [{ name: "AP50", points: scores }] });
    fill(this.charts,
      loss && h("figure", {}, h("figcaption", {}, "Loss"), loss),
      score && h("figure", {}, h("figcaption", {}, "AP50 on validation images"), score));
  }
}

export class Finish {
  /** @param {import("./store.js").Server} server @param {string[]} targets
   * @param {(label: string) => string} color */
  constructor(server, targets, color) {
    const field = (/** @type {string} */ id) => /** @type {HTMLSelectElement} */ (document.getElementById(id));
    fill(field("export-to"), ...targets.map((value) => h("option", { value }, value)));
    const post = (/** @type {string} */ kind) => (/** @type {object} */ body) =>
      server.post(`/api/finish/${kind}`, body);
    /** @type {Record<string, Part>} */
    this.parts = {
      train: new Part("finish-train", post("train"), () => ({ budget: field("budget").value })),
      export: new Part("finish-export", post("export"), () => ({ to: field("export-to").value })),
      report: new Part("finish-report", post("report"), () => ({})),
    };
    tryImages(/** @type {HTMLElement} */ (document.getElementById("try")),
      (file) => server.post("/api/try", file), color);
  }

  /** @param {Told} told */
  hear(told) {
    this.parts[told.kind]?.hear(told);
    // One at a time: each wants the whole machine.
    for (const part of Object.values(this.parts)) part.button.disabled = told.state === "running";
  }
}
