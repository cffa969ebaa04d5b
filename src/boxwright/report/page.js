"use strict";

// Shows the findings and images of one class, of one code, or of both. Without it all are shown.
function filterEntries(bar) {
  const [byClass, byCode] = bar.querySelectorAll("select");
  const status = bar.querySelector("[role=status]");
  const entries = [...document.querySelectorAll("[data-codes]")];

  const fits = (words, wanted) => !wanted || words.split(" ").includes(wanted);
  const some = (count, one) => `${count} ${one}${count === 1 ? "" : "s"}`;

  function apply() {
    const filters = byClass.value !== "" || byCode.value !== "";
    const counts = { finding: 0, image: 0 };
    for (const entry of entries) {
      const { codes, classes, kind } = entry.dataset;
      entry.hidden = !(fits(codes, byCode.value) && fits(classes, byClass.value));
      if (!entry.hidden) counts[kind] += 1;
    }
    for (const group of document.querySelectorAll("[data-group]"))
      group.hidden = filters && !group.querySelector("[data-codes]:not([hidden])");
    for (const line of document.querySelectorAll("[data-class]"))
      line.classList.toggle("faded", !fits(line.dataset.class, byClass.value));
    document.getElementById("nothing").hidden = !filters || counts.finding + counts.image > 0;
    status.textContent = `Shown: ${some(counts.finding, "finding")}, ${some(counts.image, "image")}`;
  }

  bar.hidden = false;
  bar.addEventListener("change", apply);
  bar.querySelector("button").addEventListener("click", () => {
    byClass.value = byCode.value = "";
    apply();
  });
  apply();
}

// Moves the dots of the charts along their curves, and says what happens at another threshold.
function slideThreshold(slider) {
  const select = slider.querySelector("select");
  const range = slider.querySelector("input");
  const output = slider.querySelector("output");
  const images = Number(slider.dataset.images);

  function draw(figure, curves, at) {
    const svg = document.querySelector(`#${figure} > svg`);
    const [[left, width], [top, height]] = [svg.dataset.x, svg.dataset.y].map((axis) =>
      axis.split(" ").map(Number));
    const place = ([x, y]) => [left + x * width, top + (1 - y) * height];
    const dots = svg.querySelectorAll(".dot");
    curves.forEach((points, i) => {
      const known = points.filter((point) => point.every(Number.isFinite));
      svg.querySelector(`.line.c${i}`)?.setAttribute("d",
        known.length ? `M${known.map((point) => place(point).join(" ")).join("L")}` : "M0 0");
      const dot = points[at].every(Number.isFinite);
      dots[i]?.setAttribute("visibility", dot ? "visible" : "hidden");
      if (dot) ["cx", "cy"].forEach((name, axis) =>
        dots[i]?.setAttribute(name, place(points[at])[axis]));
    });
  }

  function apply() {
    const { right, wrong, truths } = select.selectedOptions[0].dataset;
    const [hits, misses] = [right, wrong].map((text) => text.split(" ").map(Number));
    const wanted = Number(truths);
    const at = Number(range.value);
    const precision = hits.map((hit, i) => hit / (hit + misses[i]));
    const recall = hits.map((hit) => hit / wanted);
    const f1 = hits.map((hit, i) => (2 * hit) / (hit + misses[i] + wanted));
    draw("pr", [recall.map((part, i) => [part, precision[i]])], at);
    draw("rates", [precision, recall, f1].map((part) => part.map((y, i) => [i / 100, y])), at);
    const name = select.selectedOptions[0].text;
    document.querySelector("#rates figcaption b").textContent = `At each threshold, ${name}`;
    const key = document.querySelector("#pr figcaption .key");
    if (key) key.lastChild.textContent = name;
    const digits = (value) => (Number.isFinite(value) ? value.toFixed(3) : "n/a");
    const found = wanted ? `finds ${Math.round(100 * recall[at])} of 100` : "nothing to find";
    output.textContent = `At ${(at / 100).toFixed(2)}: ${found}, ` +
      `${Math.round((100 * misses[at]) / images)} false alarms per 100 images, ` +
      `precision ${digits(precision[at])}, F1 ${digits(f1[at])}`;
  }

  slider.hidden = false;
  slider.addEventListener("input", apply);
  apply();
}

const filter = document.querySelector(".filter");
if (filter) filterEntries(filter);
const slider = document.querySelector(".slider");
if (slider) slideThreshold(slider);

// On paper everything is open.
addEventListener("beforeprint", () => {
  for (const part of document.querySelectorAll("details")) part.open = true;
});
