"use strict";

// Shows the findings and images of one class, of one code, or of both. Without it all are shown.
(() => {
  const bar = document.querySelector(".filter");
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
})();
