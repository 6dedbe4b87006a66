export const tasks = "not the default"
