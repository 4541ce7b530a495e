/** A short series as a line over its own ground, with the ceiling it must stay under where there is one. */
const WIDTH = 120;
const HEIGHT = 28;

interface SparklineProps {
  values: readonly number[];
  /** As many as the line is wide; a young series begins on the right. */
  slots: number;
  ceiling: number | null;
}

export function Sparkline({ values, slots, ceiling }: SparklineProps) {
  const most = Math.max(1, ...values);
  // Far below its ceiling a line would lie flat; then the chart shows the series against its own highest point.
  const near = ceiling !== null && most > ceiling / 4;
  const top = near ? Math.max(ceiling, most) : most * 1.25;
  const x = (i: number) => WIDTH - ((values.length - 1 - i) * WIDTH) / (slots - 1);
  const y = (value: number) => HEIGHT - 1 - (value / top) * (HEIGHT - 3);
  const line = values.map((value, i) => `${x(i).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
  return (
    <svg aria-hidden viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" className="h-7 w-full overflow-visible text-accent">
      {near && <line x1={0} x2={WIDTH} y1={y(ceiling)} y2={y(ceiling)} className="stroke-bad" strokeDasharray="2 3" vectorEffect="non-scaling-stroke" />}
      <line x1={0} x2={WIDTH} y1={HEIGHT - 0.5} y2={HEIGHT - 0.5} className="stroke-line" vectorEffect="non-scaling-stroke" />
      {values.length > 1 && <polygon points={`${x(0)},${HEIGHT} ${line} ${WIDTH},${HEIGHT}`} className="fill-current opacity-12" />}
      {values.length > 1 && <polyline points={line} fill="none" stroke="currentColor" strokeWidth={1.5} strokeLinejoin="round" vectorEffect="non-scaling-stroke" />}
      {/* Of no length, with round ends: a dot at the newest value, there from the first one on. */}
      {values.length > 0 && <polyline points={`${x(values.length - 1)},${y(values.at(-1) ?? 0).toFixed(1)} ${x(values.length - 1)},${y(values.at(-1) ?? 0).toFixed(1)}`} stroke="currentColor" strokeWidth={5} strokeLinecap="round" vectorEffect="non-scaling-stroke" />}
    </svg>
  );
}
