"use strict";
{
  const search = document.getElementById("search");
  const findings = [...document.querySelectorAll(".f")];
  const texts = findings.map((each) => each.textContent.toLowerCase());
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    findings.forEach((each, i) => each.classList.toggle("miss", !words.every((word) => texts[i].includes(word))));
  };
  search.hidden = false;
  search.addEventListener("input", apply);
  search.form.addEventListener("submit", (event) => event.preventDefault());
}
