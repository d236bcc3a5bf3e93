"use strict";
// A report that was saved has nobody to ask what is so now.
if (location.protocol === "file:") for (const each of document.querySelectorAll('a[href^="/api/"]')) each.removeAttribute("href");
{
  const search = document.getElementById("search");
  const findings = [...document.querySelectorAll("#findings .f")];
  const texts = findings.map((each) => each.textContent.toLowerCase());
  const apply = () => {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    findings.forEach((each, i) => each.classList.toggle("miss", !words.every((word) => texts[i].includes(word))));
  };
  search.hidden = false;
  search.addEventListener("input", apply);
  search.form.addEventListener("submit", (event) => event.preventDefault());
}
