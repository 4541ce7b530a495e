/** A sentence of the engine in which commands stand between backticks, as a terminal shows it. */
export function WithCode({ text }: { text: string }) {
  return (
    <>
      {text.split("`").map((part, i) =>
        i % 2 === 1 ? (
          // oxlint-disable-next-line react/no-array-index-key -- the parts have no name but their place
          <code key={i} className="rounded bg-sunken px-1 font-mono text-ink">
            {part}
          </code>
        ) : (
          part
        ),
      )}
    </>
  );
}
