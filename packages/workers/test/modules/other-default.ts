export default { group: "of nothing" }
