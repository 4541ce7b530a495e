/** How far the first steps are. Kept beside the window, so that they go on where they stopped. */
import { useSyncExternalStore } from "react";
import type { SourceId } from "@/generated/protocol";

export type TourStep = "channel" | "write" | "answer" | "done";
export interface Tour {
  step: TourStep;
  channel: SourceId | null;
  /** They are looked at; otherwise a line says that they wait. */
  open: boolean;
}

const KEY = "kata.tour";
const STEPS: readonly TourStep[] = ["channel", "write", "answer", "done"];
const listeners = new Set<() => void>();
let read: { text: string | null; tour: Tour | null } = { text: null, tour: null };

function parse(text: string | null): Tour | null {
  if (text === null) return null;
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null || !("step" in value)) return null;
    const step = STEPS.find((each) => each === value.step);
    const channel = "channel" in value && typeof value.channel === "string" ? value.channel : null;
    return step === undefined ? null : { step, channel, open: "open" in value && value.open === true };
  } catch {
    return null;
  }
}

/** The same object as long as nothing has changed. */
function present(): Tour | null {
  const text = localStorage.getItem(KEY);
  if (text !== read.text) read = { text, tour: parse(text) };
  return read.tour;
}

function keep(tour: Tour | null): void {
  if (tour === null) localStorage.removeItem(KEY);
  else localStorage.setItem(KEY, JSON.stringify(tour));
  for (const listener of listeners) listener();
}

export const offerTour = (): void => keep({ step: "channel", channel: null, open: false });
export const startTour = (): void => keep({ step: "channel", channel: null, open: true });
export const goTour = (step: TourStep, channel: SourceId | null): void => keep({ step, channel, open: true });
export const showTour = (tour: Tour, open: boolean): void => keep({ ...tour, open });
export const endTour = (): void => keep(null);

export function useTour(): Tour | null {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => void listeners.delete(listener);
  }, present);
}
