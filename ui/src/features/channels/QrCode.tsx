/** A code to scan: dark on light in every theme, because cameras expect it so. */
import { useMemo } from "react";
import { encode } from "uqr";

export function QrCode({ text }: { text: string }) {
  const { path, size } = useMemo(() => {
    const code = encode(text, { border: 2 });
    const dots = code.data.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x} ${y}h1v1h-1z`] : [])));
    return { path: dots.join(""), size: code.size };
  }, [text]);
  return (
    <svg role="img" aria-label="Code to scan" data-testid="qr" viewBox={`0 0 ${size} ${size}`} shapeRendering="crispEdges" className="mx-auto size-60 rounded-lg bg-white">
      <path d={path} fill="#000" />
    </svg>
  );
}
