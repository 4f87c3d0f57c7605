"""What each way to spread calls makes of servers that are slow, fail or come back: `python -m tests.benchmarks.balancing`.

Goodput is the share of calls answered within 3 s; `burst` the most calls one server got within 0.1 s. 36 calls a second arrive at
three servers that do 20 a second each, 200 s on a simulated clock, so that two of them are just enough.
"""

from collections.abc import Callable

from traffic_simulation import Outcome, Server, Simulation

from mmai.values.traffic import Strategy

RATE, SECONDS = 36.0, 200.0

SCENARIOS: dict[str, Callable[[], list[Server]]] = {
    "all alike": lambda: [Server(), Server(), Server()],
    "one 10 times slower": lambda: [Server(service_s=2.0), Server(), Server()],
    "one fails at once": lambda: [Server(down_at=0.0), Server(), Server()],
    "one fails and returns": lambda: [Server(down_at=50.0, up_at=100.0), Server(), Server()],
}


def simulated(scenario: str, strategy: Strategy, *, processes: int = 1, seed: int = 1) -> Outcome:
    """One scenario."""
    return Simulation(SCENARIOS[scenario](), strategy=strategy, rate=RATE, processes=processes, seed=seed).run(SECONDS)


def main() -> None:
    """All of them, by one process and by four that learn of each other ten times a second."""
    for scenario in SCENARIOS:
        print(f"\n{scenario:<28}goodput  4 processes  burst  largest share")
        for strategy in Strategy:
            alone, together = simulated(scenario, strategy), simulated(scenario, strategy, processes=4)
            print(
                f"  {strategy:<26}{alone.goodput:7.1%}  {together.goodput:11.1%}  {together.burst():5d}"
                f"  {max(together.shares()):13.0%}"
            )


if __name__ == "__main__":
    main()
