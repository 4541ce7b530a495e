import "@testing-library/jest-dom/vitest";
import { cleanup, configure } from "@testing-library/react";
import { afterEach } from "vitest";

// What a test waits for comes within milliseconds; a loaded machine gets its time.
configure({ asyncUtilTimeout: 8_000 });

// jsdom lays nothing out: a list that draws only what is in sight would draw nothing.
Object.defineProperty(Element.prototype, "clientHeight", { configurable: true, get: () => 800 });
Object.defineProperty(Element.prototype, "clientWidth", { configurable: true, get: () => 300 });
Object.defineProperty(HTMLElement.prototype, "offsetHeight", { configurable: true, get: () => 40 });
HTMLElement.prototype.scrollTo = () => undefined;
// Browsers give a promise back; an effect that returns it by accident fails here as it does there.
HTMLElement.prototype.scrollIntoView = () => Promise.resolve();
HTMLElement.prototype.hasPointerCapture = () => false;
// Not stubbed: a test that takes its own stubs away would take these with them.
Object.assign(globalThis, {
  ResizeObserver: class {
    observe() {}
    unobserve() {}
    disconnect() {}
  },
  __FAKE__: true,
});

afterEach(() => {
  cleanup();
  localStorage.clear();
  sessionStorage.clear();
  window.location.hash = "";
});
