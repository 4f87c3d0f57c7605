"""The field a prompt is about, from its vocabulary."""

from collections import defaultdict
from collections.abc import Mapping

from mmai.selection.features import Features
from mmai.selection.words import found, phrases
from mmai.values.task import TaskType

_VOCABULARY = phrases(
    {
        "code": {
            1.0: "code, function, python, javascript, java, rust, sql, html, css, algorithm, api, compiler, programming,"
            " software, debug, database, server, linux, git, docker, regex, protocol, protocols, tcp, udp, quicksort,"
            " polymorphism, recursion, data structure, operating system, binary search, object oriented, osi, funktion,"
            " programm, fonction, función, funzione, функцию, код"
        },
        "math": {
            1.0: "equation, theorem, integral, derivative, matrix, polynomial, triangle, algebra, geometry, calculus,"
            " probability, pi, prime, square root, logarithm, vector space, pythagorean, factorial, sine, cosine,"
            " decimal places, quadratic"
        },
        "science": {
            1.0: "physics, chemistry, biology, quantum, energy, kinetic, molecule, atom, atoms, cell, cells, cellular,"
            " dna, rna, protein, photosynthesis, thermodynamics, force, velocity, gravity, light, acid, ph, chemical,"
            " solid, liquid, gas, planet, evolution, species, ribosomes, mitochondria, torque, voltage, current, circuit,"
            " electrical, engineering, mineral, element, enzyme, organism, isotope, avogadro's, newton's, ohm's,"
            " speed of light, telescope"
        },
        "medicine": {
            1.0: "side effects, ibuprofen, medication, patient, patients, symptom, symptoms, diagnosis, disease,"
            " treatment, doctor, medical, drug, dose, cancer, diabetes, blood, vitamin, therapy, clinical, hospital,"
            " vaccine, infection, health, nutrition, surgery, fever, antibiotic"
        },
        "law": {
            1.0: "law, legal, contract, court, statute, lawyer, attorney, plaintiff, defendant, liability, tort,"
            " copyright, gdpr, constitutional, criminal, litigation, clause, jurisdiction, pro bono, habeas corpus,"
            " legally, license agreement"
        },
        "finance": {
            1.0: "stock, stocks, investment, investments, bank, loan, interest rate, revenue, profit, tax, taxes, gdp,"
            " inflation, market, economy, economics, economic, portfolio, bond, budget, accounting, currency, dividend,"
            " financial, mortgage, swot, supply chain, elasticity of demand, opportunity cost, monopoly, business"
        },
        "history": {
            1.0: "history, war, empire, century, king, queen, president, revolution, ancient, medieval, treaty, dynasty,"
            " pharaoh, pilgrims"
        },
        "philosophy": {
            1.0: "philosophy, philosophical, ethics, moral, metaphysics, epistemology, existentialism, kant, plato, stoic"
        },
        "psychology": {
            1.0: "psychology, psychological, cognitive, behavior, behaviour, bystander effect, conditioning, personality, freud"
        },
    }
)
_OF_TASK: dict[str, str] = {TaskType.CODE_GENERATION: "code", TaskType.MATH: "math"}


def domain(features: Features, probabilities: Mapping[str, float]) -> str:
    """The field with the most of its words in the prompt, helped by the likely task; `general` when none stands out."""
    votes: dict[str, float] = defaultdict(float)
    for clause in features.clauses:
        for field, weight in found(_VOCABULARY, clause):
            votes[field] += weight
    for task, field in _OF_TASK.items():
        votes[field] += 2.0 * probabilities.get(task, 0.0)
    best = max(votes, key=lambda field: votes[field])
    # One word of a field says something in a question, and nothing in a page of text.
    return best if votes[best] >= max(0.9, features.words / 60) else "general"
