// What makes a request suspicious. Each rule says yes or no to a line by itself; a fourth, `missing`, counts, and stands with the
// Analysis.
import type { AccessLine } from "./AccessLine.ts"

export type Rule = "probe" | "traversal" | "scanner" | "missing"

/** What is looked for on servers that have no such thing, or should not show it. */
const probe =
  /^\/+(?:[^?]*\/)?(?:(?:wp-login|xmlrpc|wp-config|phpinfo|eval-stdin)\.php|phpmyadmin|cgi-bin|\.(?:env|git|aws|ssh)[^/?]*)(?:[/?]|$)/i

/** Two dots between slashes of either kind, plain, percent-encoded, or encoded twice. */
const traversal = /(?:^|[/\\=]|%(?:25)?(?:2f|5c))(?:\.|%(?:25)?2e){2}(?:[/\\]|%(?:25)?(?:2f|5c)|$)/i

/** Programs that look for holes, and say who they are. */
const scanner = /sqlmap|nikto|nmap|masscan|zgrab|dirbuster|gobuster|feroxbuster|wpscan|nuclei|acunetix/i

/** The first rule that a line breaks. */
export const broken = ({ agent, target }: AccessLine): Rule | undefined =>
  probe.test(target) ? "probe" : traversal.test(target) ? "traversal" : scanner.test(agent) ? "scanner" : undefined
