"""The field a prompt is about: what the classifier says of it, and its vocabulary."""

from collections.abc import Mapping

from mmai.selection.features import Features
from mmai.selection.probabilities import softmax
from mmai.selection.words import found, phrases

GENERAL = "general"
VOTE = 3.0
"""Logits for a word of a field in a short question; in a page of text one says little."""
PAGE_WORDS = 60
MOST = 7.0
"""Logits that words can add to a field."""
CLEAR = 0.5
"""Probability from which a field is named."""

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


def domain(features: Features, logits: Mapping[str, float]) -> str:
    """The most probable field; `general` when none is clear."""
    votes = dict(logits)
    each = VOTE / max(1.0, features.words / PAGE_WORDS)
    for clause in features.clauses:
        for field, weight in found(_VOCABULARY, clause):
            votes[field] = min(logits[field] + MOST, votes[field] + each * weight)
    probabilities = softmax(votes)
    best = next(iter(probabilities))
    return best if probabilities[best] >= CLEAR else GENERAL
