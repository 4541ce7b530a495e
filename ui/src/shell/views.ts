/**
 * The views come in parts, after the window is there. In a browser the parts come from the engine: all of them are fetched
 * while it is there, so that none is missing when it is away, and one that does not come is asked for again.
 */
import { type ComponentType, type LazyExoticComponent, lazy } from "react";

const AGAIN_MS = 2_000;
const TRIES = 30;
const loads: (() => Promise<unknown>)[] = [];

/** Asks again until it comes; after a minute the window says that it did not. */
export async function patiently<T>(load: () => Promise<T>, tries: number = TRIES): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (tries <= 1) throw cause;
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
    return patiently(load, tries - 1);
  }
}

export function view<P extends object>(load: () => Promise<ComponentType<P>>): LazyExoticComponent<ComponentType<P>> {
  loads.push(load);
  return lazy(async () => ({ default: await patiently(load) }));
}

/** Fetches every view, one after the other. One that fails is fetched when it is wanted. */
export function preloadViews(): void {
  void loads.reduce((before: Promise<unknown>, load) => before.then(load).catch(() => undefined), Promise.resolve());
}
