/** The shapes in which models give a program. */

const indented = (text: string, indentation: string): string =>
  text
    .split('\n')
    .map(line => line && indentation + line)
    .join('\n');

/** A whole program in twelve shapes, by name; `entry`: a function of it. */
export function wholeShapes(program: string, entry: string): Record<string, string> {
  const code = program.replaceAll('\r', '').trimEnd();
  return {
    bare: code,
    fenced: `\`\`\`python\n${code}\n\`\`\``,
    'fenced as py, with prose around': `Here is the function:\n\n\`\`\`py\n${code}\n\`\`\`\nIt works because of the loop.`,
    'fenced as Python3, with a list behind': `Sure! I'll write it.\n\n\`\`\`Python3\n${code}\n\`\`\`\n\n- Time: O(n)\n- Space: O(1)`,
    'fenced without a language': `Answer:\n\`\`\`\n${code}\n\`\`\``,
    'fenced by tildes': `~~~python\n${code}\n~~~\nDone.`,
    'fenced inside a list': `1. First, write it:\n\n   \`\`\`python\n${indented(code, '   ')}\n   \`\`\`\n\n2. Then call it.`,
    'fenced and never closed': `Of course:\n\`\`\`python\n${code}`,
    'between other fences': `Install:\n\`\`\`bash\npip install numpy\n\`\`\`\nThe code:\n\`\`\`python\n${code}\n\`\`\`\nUse it:\n\`\`\`python\nprint(${entry}(1, 2, 3))\nassert ${entry}() == 0\n\`\`\``,
    'with its own tests': `${code}\n\nassert ${entry}(1) == 'no such thing'\nprint(${entry}(1))\n\nif __name__ == "__main__":\n    ${entry}()\n`,
    'in a chat without fences': `Certainly! Here's the solution to the problem:\n\n${code}\n\nThis function works as follows:\n1. It goes over the input.\n2. It returns the result.\n`,
    'between marks, lines ended by CR LF': `[BEGIN]\r\n${code.replaceAll('\n', '\r\n')}\r\n[DONE]\r\nmore`,
  };
}

/** What goes on behind the head of a function. */
export function bodyShapes(solution: string, entry: string): Record<string, string> {
  const body = solution.trimEnd();
  return {
    'body alone': body,
    'body with prose behind': `${body}\n\nThis function loops over the input, and returns it.\nIt is O(n).`,
    'body with more functions behind': `${body}\n\n\ndef other(x):\n    return x\n\n\nprint(${entry}(1))\n`,
    'body in a fence': `Here's the rest:\n\`\`\`python\n${body}\n\`\`\`\nThat is all.`,
    'body without its first indentation': body.trimStart(),
    'body with prose before': `The body of the function is:\n\n${body}`,
  };
}
