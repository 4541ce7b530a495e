/** How the window looks: light and dark, colours, size of text, width of a conversation. Kept on this device. */
import { Monitor, Moon, Sun } from "lucide-react";
import { SwitchRow } from "@/components/controls";
import { Section } from "@/components/layout";
import { cn } from "@/lib/cn";
import { palette, THEME_SEEDS, type ThemeSeed } from "@/lib/palette";
import { setColors, setTextSize, setTheme, setWide, TEXT_SIZES, type TextSize, type Theme, useColors, useDark, useTextSize, useTheme, useWide } from "@/lib/theme";

const THEMES: readonly { id: Theme; name: string; icon: typeof Sun }[] = [
  { id: "light", name: "Light", icon: Sun },
  { id: "dark", name: "Dark", icon: Moon },
  { id: "system", name: "As the system", icon: Monitor },
];

const SIZES: Record<TextSize, string> = { 90: "Small", 100: "Normal", 112: "Large", 125: "Larger" };
const CHOICE = "rounded-lg border has-focus-visible:outline-2 has-focus-visible:outline-accent";

export function Appearance() {
  const theme = useTheme();
  const size = useTextSize();
  const wide = useWide();
  return (
    <>
      <Section title="Theme">
        <div role="radiogroup" aria-label="Theme" className="grid max-w-md grid-cols-3 gap-2">
          {THEMES.map(({ id, name, icon: Icon }) => (
            <label key={id} className={cn(CHOICE, "flex flex-col items-center gap-2 px-3 py-4 text-center", theme === id ? "border-accent bg-accent-soft text-accent" : "border-line text-muted hover:bg-hover")}>
              <input type="radio" name="theme" className="sr-only" checked={theme === id} onChange={() => setTheme(id)} />
              <Icon aria-hidden className="size-5" strokeWidth={1.5} />
              {name}
            </label>
          ))}
        </div>
        <p className="text-faint">Animations follow your system’s setting for reduced motion.</p>
      </Section>
      <Colors />
      <Section title="Size of text">
        <div role="radiogroup" aria-label="Size of text" className="flex flex-wrap gap-2">
          {TEXT_SIZES.map((each) => (
            <label key={each} className={cn(CHOICE, "flex h-8 items-center px-3", size === each ? "border-accent bg-accent-soft text-accent" : "border-line text-muted hover:bg-hover")}>
              <input type="radio" name="text-size" className="sr-only" checked={size === each} onChange={() => setTextSize(each)} />
              {SIZES[each]}
            </label>
          ))}
        </div>
      </Section>
      <Section title="Conversations">
        <SwitchRow label="Wide lines" note="For large screens, and for tables and code." checked={wide} onChange={setWide} />
      </Section>
    </>
  );
}

function Colors() {
  const colors = useColors();
  return (
    <Section title="Colours">
      <div role="radiogroup" aria-label="Colours" className="grid grid-cols-[repeat(auto-fill,minmax(112px,1fr))] gap-2">
        {THEME_SEEDS.map((seed) => (
          <label key={seed.id} data-testid={`colors-${seed.id}`} className={cn(CHOICE, "flex flex-col gap-1.5 p-1.5", colors === seed.id ? "border-accent bg-accent-soft text-accent" : "border-line text-muted hover:bg-hover")}>
            <input type="radio" name="colors" className="sr-only" checked={colors === seed.id} onChange={() => setColors(seed.id)} />
            <Swatch seed={seed} />
            <span className="px-0.5 text-sm">{seed.name}</span>
          </label>
        ))}
      </div>
    </Section>
  );
}

/** The window in small. */
function Swatch({ seed }: { seed: ThemeSeed }) {
  const of = palette(seed, useDark());
  return (
    <span aria-hidden className="flex h-11 overflow-hidden rounded border" style={{ background: of.ground, borderColor: of.line }}>
      <span className="w-1/4 border-r" style={{ background: of.sidebar, borderColor: of.line }} />
      <span className="flex flex-1 flex-col justify-center gap-1 px-2">
        <span className="h-1 w-4/5 rounded-full" style={{ background: of.ink }} />
        <span className="h-1 w-3/5 rounded-full" style={{ background: of.faint }} />
        <span className="mt-0.5 h-2 w-6 rounded" style={{ background: of.accent }} />
      </span>
    </span>
  );
}
