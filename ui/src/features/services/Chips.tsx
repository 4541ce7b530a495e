/** Names in a row: tools, hooks, commands, capabilities. */
export function Chips({ names, none }: { names: readonly string[]; none: string }) {
  if (names.length === 0) return <span className="text-faint">{none}</span>;
  return (
    <ul className="flex flex-wrap gap-1">
      {names.map((name) => (
        <li key={name} className="selectable rounded border border-line bg-sunken px-1.5 font-mono text-xs leading-[1.125rem] text-muted">
          {name}
        </li>
      ))}
    </ul>
  );
}
