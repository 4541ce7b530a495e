/** Keeps the end of a list in sight until the person scrolls away from it, and again once they are back. */
import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef } from "react";

interface Stick {
  scroller: RefObject<HTMLElement | null>;
  /** Changes whenever rows are added or the last one becomes another. */
  revision: string;
  /** Pixels from the end that still count as the end. */
  near: number;
  toEnd: () => void;
}

/** `onScroll` is for the scroller; `letGo` for who takes the list elsewhere. */
export function useStickToEnd({ scroller, revision, near, toEnd }: Stick): { onScroll: () => void; letGo: () => void } {
  const stuck = useRef(true);
  const last = useRef({ top: 0, height: 0 });

  useLayoutEffect(() => {
    if (stuck.current && revision !== "") toEnd();
  }, [revision, toEnd]);

  // The composer grows, a banner appears: the list gets shorter, and the end would slip out of sight.
  useEffect(() => {
    const element = scroller.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => {
      if (stuck.current) toEnd();
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [scroller, toEnd]);

  const letGo = useCallback(() => {
    stuck.current = false;
  }, []);
  const onScroll = useCallback(() => {
    const element = scroller.current;
    if (element === null) return;
    const { scrollTop, scrollHeight, clientHeight } = element;
    const up = scrollTop < last.current.top - 1 && scrollHeight >= last.current.height;
    if (scrollHeight - scrollTop - clientHeight <= near) stuck.current = true;
    // Only a person scrolls up in a list that did not shrink.
    else if (up) stuck.current = false;
    last.current = { top: scrollTop, height: scrollHeight };
  }, [scroller, near]);
  return { onScroll, letGo };
}
