/** What a view is judged by, in the page itself. Each gives lines that say what is wrong, or none. */

const CONTROLS = "button, a[href], input, select, textarea, summary, [role=switch], [role=menuitem], [role=option], [tabindex]";

/** Runs in the page: what can be seen there and is wrong with its layout. */
export function layoutFaults(selector) {
  const faults = [];
  const name = (element) => `${element.tagName.toLowerCase()} “${(element.getAttribute("aria-label") ?? element.textContent ?? "").trim().replace(/\s+/g, " ").slice(0, 50)}”`;
  const shown = (element) => element.checkVisibility({ checkVisibilityCSS: true, checkOpacity: true }) && element.closest("[aria-hidden=true], [inert], .sr-only") === null;
  const style = (element) => getComputedStyle(element);
  const ownText = (element) => [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent.trim() !== "");
  const scrolls = (value) => value === "auto" || value === "scroll";

  if (document.documentElement.scrollWidth > innerWidth) faults.push(`the page is ${document.documentElement.scrollWidth - innerWidth} pixels wider than the window`);

  for (const element of document.body.querySelectorAll("*")) {
    if (!(element instanceof HTMLElement) || !shown(element)) continue;
    const { clientWidth, scrollWidth, clientHeight, scrollHeight } = element;
    const css = style(element);
    const field = element.matches("input, textarea, select");
    if (!field && ownText(element) && clientWidth > 1 && scrollWidth > clientWidth + 1 && css.display !== "inline") {
      const ends = css.textOverflow === "ellipsis";
      if (ends && clientWidth < 44) faults.push(`only ${clientWidth} pixels are left for ${name(element)}`);
      if (!ends && (css.overflowX === "hidden" || css.overflowX === "clip")) faults.push(`cut off without a sign: ${name(element)}`);
      if (!ends && css.overflowX === "visible") faults.push(`words stand out at the side of ${name(element)}`);
    }
    if (element.matches("button, [role=tab], label, kbd") && css.overflowY === "visible" && css.display !== "inline" && clientHeight > 0 && scrollHeight > clientHeight + 2) faults.push(`words stand out of ${name(element)}`);
    if (field && element.placeholder && element.value === "" && element.type !== "password") {
      const pen = document.createElement("canvas").getContext("2d");
      pen.font = css.font;
      const room = clientWidth - Number.parseFloat(css.paddingLeft) - Number.parseFloat(css.paddingRight);
      if (element.tagName === "INPUT" && (css.textOverflow !== "ellipsis" || room < 60) && pen.measureText(element.placeholder).width > room + 2) faults.push(`the hint “${element.placeholder}” is cut off`);
    }
    if (field && element.tagName === "INPUT" && element.value !== "" && /^(text|number|time)$/.test(element.type) && element.value.length <= 8 && scrollWidth > clientWidth + 1) faults.push(`the value “${element.value}” is cut off`);
    if (scrolls(css.overflowX) && scrollWidth > clientWidth + 1 && !element.matches("pre, [data-wide], textarea, input")) faults.push(`scrolls sideways: ${name(element)}`);
  }

  const layer = (element) => {
    for (let at = element; at !== null; at = at.parentElement) if (["absolute", "fixed", "sticky"].includes(style(at).position)) return at;
    return null;
  };
  const controls = [...document.querySelectorAll(selector)].filter((each) => shown(each) && each.getBoundingClientRect().width > 2);
  const seen = [];
  for (const control of controls) {
    const box = control.getBoundingClientRect();
    let { left, top, right, bottom } = box;
    let fixed = style(control).position === "fixed";
    for (let at = control.parentElement; at !== null; at = at.parentElement) {
      const css = style(at);
      if (!fixed && at !== document.body && at !== document.documentElement) {
        const frame = at.getBoundingClientRect();
        if (scrolls(css.overflowY) || scrolls(css.overflowX)) {
          // What is out of sight here comes into sight by scrolling.
          left = Math.max(left, frame.left);
          right = Math.min(right, frame.right);
          top = Math.max(top, frame.top);
          bottom = Math.min(bottom, frame.bottom);
          if (right <= left || bottom <= top) [left, top, right, bottom] = [frame.left, frame.top, frame.right, frame.bottom];
        } else if ((css.overflowY === "hidden" || css.overflowY === "clip") && (bottom > frame.bottom + 2 || top < frame.top - 2 || right > frame.right + 2 || left < frame.left - 2)) {
          faults.push(`out of reach, cut off by what is around it: ${name(control)}`);
          break;
        }
      }
      if (css.position === "fixed") fixed = true;
    }
    if (bottom > innerHeight + 1 || right > innerWidth + 1 || top < -1 || left < -1) faults.push(`out of reach, outside the window: ${name(control)}`);
    if (control.matches("button, a, input, select, textarea, [role=switch]")) seen.push({ control, left: Math.max(left, box.left), top: Math.max(top, box.top), right: Math.min(right, box.right), bottom: Math.min(bottom, box.bottom), layer: layer(control) });
  }
  for (const [i, a] of seen.entries()) {
    for (const b of seen.slice(i + 1)) {
      if (a.layer !== b.layer || a.control.contains(b.control) || b.control.contains(a.control)) continue;
      if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 4 && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 4) faults.push(`${name(a.control)} lies over ${name(b.control)}`);
    }
  }
  return [...new Set(faults)];
}

/** Runs in the page: numbers what the keyboard must reach, and says how many there are. A group that moves by arrows is one stop. */
export function numberStops(pastSidebar) {
  const can = "button, a[href], input, select, textarea, summary, [role=switch], [contenteditable=true], [tabindex='0']:not([role=tablist], [role=radiogroup], [role=menu], [role=toolbar])";
  const byArrows = "[role=listbox], [role=tablist], [role=radiogroup], [role=menu], [role=toolbar], [role=tree], [role=grid], [cmdk-root]";
  const home = document.querySelector("[role=dialog], [role=alertdialog]") ?? document;
  const stops = [...home.querySelectorAll(can)].filter((each) => {
    if (pastSidebar && home === document && each.closest("nav[aria-label=Main]") !== null) return false;
    if (!each.checkVisibility({ checkVisibilityCSS: true }) || each.disabled || each.closest("[inert], [aria-hidden=true]") !== null) return false;
    if (each.type === "radio" && !each.checked && each.name !== "") return false;
    // Without a place in the order it must be in a group that the arrows move through, and the group has one.
    return each.tabIndex >= 0 || each.closest(byArrows) === null;
  });
  stops.forEach((each, i) => each.setAttribute("data-stop", String(i)));
  if (home === document) {
    const begin = pastSidebar ? document.querySelector("main") : document.body;
    begin.setAttribute("tabindex", "-1");
    begin.focus();
    begin.removeAttribute("tabindex");
  }
  return stops.length;
}

/** Runs in the page: where the focus is, whether it is to be seen, whether it is in the dialog that is open. */
export function focusNow() {
  const at = document.activeElement;
  if (at === null || at === document.body) return { stop: null, faults: [] };
  const faults = [];
  const name = `${at.tagName.toLowerCase()} “${(at.getAttribute("aria-label") ?? at.textContent ?? "").trim().slice(0, 50)}”`;
  const dialog = document.querySelector("[role=dialog], [role=alertdialog]");
  if (dialog !== null && !dialog.contains(at)) faults.push(`the focus leaves the dialog: ${name}`);
  // Its own ring, or that of what stands around it.
  const ring = (element) => {
    if (element === null) return false;
    const css = getComputedStyle(element);
    return (css.outlineStyle !== "none" && Number.parseFloat(css.outlineWidth) >= 1) || css.boxShadow !== "none";
  };
  const around = [at, at.parentElement, at.closest("label"), at.parentElement?.parentElement];
  const marked = at.matches("[role=listbox], [cmdk-input]") && document.querySelector("[aria-selected=true]") !== null;
  if (!around.some((each) => each != null && ring(each)) && !marked) faults.push(`no ring shows the focus on ${name}`);
  // A radio button that is drawn by its label.
  const drawn = at.classList.contains("sr-only") ? at.closest("label") : null;
  const box = (drawn ?? at).getBoundingClientRect();
  const seen = { left: Math.max(box.left, 0), right: Math.min(box.right, innerWidth), top: Math.max(box.top, 0), bottom: Math.min(box.bottom, innerHeight) };
  const points = [0.5, 0.1, 0.9].map((part) => [seen.left + (seen.right - seen.left) * 0.5, seen.top + (seen.bottom - seen.top) * part]);
  const same = points.some(([x, y]) => {
    const hit = document.elementFromPoint(x, y);
    return hit !== null && (hit === at || at.contains(hit) || hit === drawn || at.closest("label")?.contains(hit) === true);
  });
  if (!same) faults.push(`the focus is out of sight on ${name}`);
  return { stop: at.getAttribute("data-stop"), faults };
}

/** Runs in the page: stops that were not reached, and what was pushed out of its place on the way. */
export function afterTabbing(reached) {
  const missed = [...document.querySelectorAll("[data-stop]")].filter((each) => each.checkVisibility() && !reached.includes(each.getAttribute("data-stop"))).map((each) => each.getAttribute("aria-label") ?? (each.textContent.trim().slice(0, 40) || each.outerHTML.slice(0, 80)));
  const pushed = [...document.querySelectorAll("*")]
    .filter((each) => {
      const { overflowX, overflowY } = getComputedStyle(each);
      const still = !["auto", "scroll"].includes(overflowY) && !["auto", "scroll"].includes(overflowX);
      return still && !each.matches("input, textarea") && (each.scrollTop > 1 || each.scrollLeft > 1);
    })
    .map((each) => `${each.tagName.toLowerCase()}.${String(each.className).slice(0, 60)}`);
  return [...(missed.length > 0 ? [`not reached by Tab: ${missed.join(" | ")}`] : []), ...pushed.map((each) => `scrolled without a way back: ${each}`)];
}

export const CONTROL_SELECTOR = CONTROLS;
