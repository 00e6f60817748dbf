/** Okabe and Ito's palette: told apart with every kind of colour blindness, on light and on dark. */
export const COLOURS = {
  blue: '#0072B2',
  orange: '#E69F00',
  green: '#009E73',
  pink: '#CC79A7',
  sky: '#56B4E9',
  vermilion: '#D55E00',
  yellow: '#F0E442',
  grey: '#8E8E8E',
} as const;
export type Colour = keyof typeof COLOURS;

/** In the order in which a panel's series take them. Vermilion is left to limits and to what is bad. */
export const SERIES: readonly Colour[] = ['blue', 'orange', 'green', 'pink', 'sky', 'yellow', 'grey'];
