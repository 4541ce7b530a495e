import { Monitor, Moon, Sun } from "lucide-react";
import { Section } from "@/components/layout";
import { cn } from "@/lib/cn";
import { setTheme, type Theme, useTheme } from "@/lib/theme";

const THEMES: readonly { id: Theme; name: string; icon: typeof Sun }[] = [
  { id: "light", name: "Light", icon: Sun },
  { id: "dark", name: "Dark", icon: Moon },
  { id: "system", name: "As the system", icon: Monitor },
];

export function Appearance() {
  const theme = useTheme();
  return (
    <Section title="Theme">
      <div role="radiogroup" aria-label="Theme" className="grid max-w-md grid-cols-3 gap-2">
        {THEMES.map(({ id, name, icon: Icon }) => (
          <label
            key={id}
            className={cn(
              "flex flex-col items-center gap-2 rounded-lg border px-3 py-4 has-focus-visible:outline-2 has-focus-visible:outline-accent",
              theme === id ? "border-accent bg-accent-soft text-accent" : "border-line text-muted hover:bg-hover",
            )}
          >
            <input type="radio" name="theme" className="sr-only" checked={theme === id} onChange={() => setTheme(id)} />
            <Icon aria-hidden className="size-5" strokeWidth={1.5} />
            {name}
          </label>
        ))}
      </div>
      <p className="text-faint">Animations follow your system’s setting for reduced motion.</p>
    </Section>
  );
}
