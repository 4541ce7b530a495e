/** The app's mark, as in `icons/icon.svg`. */
export function Mark({ className }: { className?: string }) {
  return <img src="./icon.svg" alt="" className={className} draggable={false} />;
}
