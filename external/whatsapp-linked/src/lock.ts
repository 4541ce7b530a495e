/** One program a folder: two devices with the same keys break each other's sessions. */

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Takes the folder. Gives the way to give it back, or the process that has it. */
export function lock(dir: string): { release(): void } | { heldBy: number } {
  const file = join(dir, "pid");
  for (let tries = 0; ; tries += 1) {
    try {
      writeFileSync(file, `${process.pid}\n`, { flag: "wx", mode: 0o600 });
      return { release: () => rmSync(file, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || tries > 3) throw error;
    }
    const pid = Number(readFileSync(file, "utf8"));
    if (alive(pid)) return { heldBy: pid };
    // Whoever had it was killed.
    rmSync(file, { force: true });
  }
}

function alive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
