/** A piece of text with the found words marked. The engine puts each between U+2068 and U+2069. */

const MARKED = /\u2068([^\u2069]*)\u2069/;

export function Snippet({ text, className }: { text: string; className?: string }) {
  return (
    <span className={className}>
      {text.split(MARKED).map((part, i) =>
        // Every second part stood between the marks.
        i % 2 === 1 ? (
          <mark key={i} className="rounded-xs bg-mark px-px text-ink">
            {part}
          </mark>
        ) : (
          part
        ),
      )}
    </span>
  );
}
