"""Northline's teams: their purpose, accounts and members."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SampleTeam:
    """A team; `people` are names with the lead first, `groups` the IAM groups by account."""

    key: str
    purpose: str
    cost_centre: str
    groups: dict[str, tuple[str, ...]]
    people: tuple[str, ...]
    path: str = "/people/"


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


TEAMS = (
    SampleTeam(
        "platform",
        "Runs the landing zone, the deploy pipeline and the clusters",
        "4100",
        {
            "production": ("platform-oncall", "deployers"),
            "staging": ("platform", "deployers"),
            "sandbox": ("builders",),
            "data": ("platform-oncall",),
        },
        _names(
            "Maya Okafor, Mateus Ferraz, Sigrid Halvorsen, Owen Pritchard, Chiara Bellini, Dmitri Volkov, "
            "Aoife Brennan,"
            "Ravi Krishnan, Zuzana Horakova, Emre Yildiz, Freja Mikkelsen, Samuel Adeyemi, Klara Lindqvist"
        ),
    ),
    SampleTeam(
        "iam",
        "Owns identities, accounts and Gatehouse itself",
        "4110",
        {
            "production": ("iam-admins",),
            "data": ("iam-admins",),
            "staging": ("iam-admins",),
            "sandbox": ("iam-admins",),
        },
        _names("Ines Duarte, Thabo Mokoena, Greta Sundberg"),
    ),
    SampleTeam(
        "sre",
        "Keeps ticketing and payments running, day and night",
        "4120",
        {"production": ("sre", "platform-oncall"), "data": ("sre",), "staging": ("platform",)},
        _names(
            "Hana Sato, Björn Aasland, Tamika Reynolds, Piotr Zielinski, Camille Laurent, Arjun Mehta, "
            "Silje Nordby,"
            "Hugo Marchand, Nomvula Dlamini"
        ),
    ),
    SampleTeam(
        "payments",
        "Builds the payment gateway, the settlement run and the ledger: the cardholder data environment",
        "4200",
        {"production": ("payments-dev",), "staging": ("payments-dev", "deployers")},
        _names(
            "Elif Kaya, Tomas Lind, Kwame Boateng, Isabel Moreno, Daniel Fitzgerald, Mei Chen, Oskar "
            "Virtanen, Rania Haddad,"
            "Jakub Nowak, Lucia Ferreira, Anders Holm, Shreya Iyer, Malik Johnson, Eva Dubois, Henrik "
            "Bakke, Noor Rahman,"
            "Stefan Keller, Adaeze Obi, Viktor Petrov, Joana Castro"
        ),
    ),
    SampleTeam(
        "ticketing",
        "Sells seats and cabins: timetable, inventory, fares",
        "4300",
        {"production": ("ticketing-dev",), "staging": ("ticketing-dev", "deployers")},
        _names(
            "Ingrid Solberg, Marcus Webb, Fatima Zahra, Liam O'Connor, Astrid Nyberg, Cheng Wei, Paulo "
            "Ribeiro, Yara Costa,"
            "Erik Svensson, Mina Farahani, Gareth Hughes, Sanna Koskinen, Tariq Aziz, Brigitte Moser, Leon "
            "Hartmann,"
            "Ama Owusu"
        ),
    ),
    SampleTeam(
        "mobile",
        "Builds the passenger apps",
        "4310",
        {"staging": ("mobile-dev",), "sandbox": ("builders",)},
        _names(
            "Nils Bergqvist, Sunita Rao, Jamie Cartwright, Alba Navarro, Kofi Mensah, Linnea Dahl, Yusuf "
            "Demir, Hannah Gray,"
            "Mikkel Sorensen"
        ),
    ),
    SampleTeam(
        "web",
        "Builds northline.example and the operators' back office",
        "4320",
        {"production": ("web-dev",), "staging": ("web-dev",)},
        _names(
            "Beatriz Lopes, Callum Reid, Agnieszka Wrona, Tunde Bakare, Sophie Martin, Juhani Makela, Carla "
            "Esposito,"
            "Dev Patel, Maren Eide"
        ),
    ),
    SampleTeam(
        "data-platform",
        "Runs the warehouse, the streams and the catalogue",
        "4400",
        {"data": ("data-platform", "analysts"), "sandbox": ("builders",)},
        _names(
            "Priya Raman, Joao Teixeira, Katarzyna Maj, Rasmus Thomsen, Laila Mansour, Bram de Vries, Chloe "
            "Bernard,"
            "Nikhil Deshpande, Tove Ekman, Francesco Greco, Zanele Khumalo, Ivo Stankovic"
        ),
    ),
    SampleTeam(
        "analysts",
        "Analyzes demand, fares and punctuality",
        "4410",
        {"data": ("analysts",)},
        _names(
            "Jonah Weiss, Amelie Rousseau, Pedro Almeida, Karin Olsen, Abdul Karim, Rosa Vidal, Simon "
            "Fletcher, Yewande Cole,"
            "Marta Kowalska, Jens Frandsen, Olivia Barnes, Hiroshi Ito, Elena Popescu, Matthew Clarke"
        ),
    ),
    SampleTeam(
        "machine-learning",
        "Predicts demand and delays",
        "4420",
        {"data": ("ml-research",), "sandbox": ("builders",)},
        _names(
            "Sana Qureshi, Luca Romano, Wei Zhang, Frida Johansson, Kenji Mori, Anouk Visser, Ibrahim "
            "Toure, Petra Novakova"
        ),
    ),
    SampleTeam(
        "security",
        "Security monitoring, testing and audits",
        "4500",
        {
            "production": ("security-readers",),
            "data": ("security-readers",),
            "staging": ("security-readers",),
            "sandbox": ("security-readers",),
        },
        _names(
            "Jonas Berg, Amara Diallo, Catarina Melo, Declan Murphy, Yoko Tanabe, Rafael Ortega, Selin Arslan"
        ),
    ),
    SampleTeam(
        "finance",
        "Cloud cost management",
        "4600",
        {"production": ("billing-readers",), "data": ("billing-readers",)},
        _names("Sofia Marchetti, Peter Lindgren, Grace Nwosu, Thomas Albrecht, Helena Sousa"),
    ),
    SampleTeam(
        "support",
        "Helps travellers and operators",
        "4700",
        {"production": ("support",)},
        _names(
            "Rebecca Stone, Emilia Wojcik, Karim Benali, Lotte Jansen, Mandla Nkosi, Teresa Pinto, Aaron "
            "Blake, Signe Lund,"
            "Farah Siddiqui, Gustav Lindahl"
        ),
    ),
    SampleTeam(
        "qa",
        "Quality assurance",
        "4330",
        {"staging": ("qa",), "sandbox": ("builders",)},
        _names(
            "Anneli Saarinen, Victor Dumont, Preeti Nair, Magnus Eriksen, Olga Sidorova, Bilal Hussain, "
            "Clara Weber"
        ),
    ),
    SampleTeam(
        "contractors",
        "External staff of Brightwater Analytics and Kestrel Testing, for a limited time",
        "4900",
        {"data": ("contractors",), "staging": ("contractors",)},
        _names(
            "Lukas Novak, Diego Herrera, Megan Price, Arto Lehtonen, Ewa Zajac, Tim Baker, Nadia Rossi, "
            "Pavel Cerny, Leah Cohen"
        ),
        path="/contractors/",
    ),
)
