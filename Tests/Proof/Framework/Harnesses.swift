/// All of them, in the order in which they are run: the cheapest first.
package let harnesses: [any Harness] = [ModelHarness()]
