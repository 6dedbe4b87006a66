export const notALayer = 5
