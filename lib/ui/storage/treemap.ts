/** A weighed thing of a map. */
export interface Weighed {
  readonly weight: number;
}

/** A thing with its place in the map, in the map's own units. */
export interface Tile<T> {
  readonly item: T;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

interface Rest {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** The worst ratio of sides in a strip of these areas along a side. */
function worst(areas: readonly number[], side: number): number {
  const sum = areas.reduce((total, area) => total + area, 0);
  const depth = sum / side;
  return Math.max(...areas.map((area) => Math.max(depth ** 2 / area, area / depth ** 2)));
}

/** Places a strip along the shorter side of what is left, and takes it off. */
function layStrip<T>(strip: readonly { item: T; area: number }[], rest: Rest): Tile<T>[] {
  const sum = strip.reduce((total, { area }) => total + area, 0);
  const isColumn = rest.width >= rest.height;
  const side = isColumn ? rest.height : rest.width;
  const depth = sum / side;
  let offset = 0;
  const tiles = strip.map(({ item, area }): Tile<T> => {
    const length = area / depth;
    const at = offset;
    offset += length;
    return isColumn
      ? { item, x: rest.x, y: rest.y + at, width: depth, height: length }
      : { item, x: rest.x + at, y: rest.y, width: length, height: depth };
  });
  if (isColumn) {
    rest.x += depth;
    rest.width -= depth;
  } else {
    rest.y += depth;
    rest.height -= depth;
  }
  return tiles;
}

/**
 * Divides a rectangle among things in proportion to their weights, in tiles that are as square as they can be, the
 * heaviest first at the top left (squarified treemap: Bruls, Huizing and van Wijk, 2000). Things without weight have no
 * tile.
 */
export function treemap<T extends Weighed>(items: readonly T[], width: number, height: number): Tile<T>[] {
  const total = items.reduce((sum, { weight }) => sum + Math.max(0, weight), 0);
  const open = items
    .filter(({ weight }) => weight > 0)
    .map((item) => ({ item, area: (item.weight / total) * width * height }))
    .sort((a, b) => b.area - a.area);
  const rest: Rest = { x: 0, y: 0, width, height };
  const tiles: Tile<T>[] = [];
  let strip: typeof open = [];
  for (const next of open) {
    const side = Math.min(rest.width, rest.height);
    const areas = strip.map(({ area }) => area);
    if (strip.length > 0 && worst([...areas, next.area], side) > worst(areas, side)) {
      tiles.push(...layStrip(strip, rest));
      strip = [];
    }
    strip.push(next);
  }
  if (strip.length > 0) tiles.push(...layStrip(strip, rest));
  return tiles;
}
