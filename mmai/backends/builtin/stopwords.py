"""The commonest words of eight languages, which say nothing of what a text is about."""

from collections.abc import Collection

# The function words of each language's grammar, written down by hand; a text in any other language has none.
_LISTS = {
    "en": """
        a about above after again against all also although am an and any are aren't as at be because been before being
        below between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during each
        either else etc even ever every few for from further get gets got had has have having he her here hers herself him
        himself his how however i i'm if in into is isn't it it's its itself just least let like made make makes many may me
        might more most much must my myself need neither no nor not now of off often on once one only onto or other others
        our ours out over own per perhaps rather really same shall she should since so some such than that that's the their
        theirs them themselves then there therefore these they they're this those though through thus to too toward under
        unless until up upon us use used uses using very via want was we were what when where whether which while who whom
        whose why will with within without won't would yes yet you you're your yours yourself following see example
        available various several different possible based including instead already another something never always ever
        everything nothing anything everyone anyone usually often seldom sometimes
    """,
    "de": """
        aber alle allem allen aller alles als also am an ander andere anderen anderer auch auf aus bei beim bin bis bist da
        damit dann das dass dein dem den denn der des dessen die dies diese diesem diesen dieser dieses doch dort du durch
        ein eine einem einen einer eines er es etwa etwas euch für gegen haben hat hatte hier hin hinter ich ihm ihn ihnen
        ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden jeder jedes jedoch jene kann kein keine keinen können
        machen man mehr mein mit muss müssen nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen
        seiner seit sich sie sind so sogar solche soll sollen sollte sondern sonst über um und uns unser unter viel vom von
        vor war waren was weil weiter welche welcher wenn wer werden wie wieder wird wir wo worden wurde wurden zu zum zur
        zwar zwischen neu rund sagte trotzdem
    """,
    "fr": """
        à ai ainsi alors après as au aucun aura aussi autre autres aux avait avant avec avoir car ce ceci cela celle celui
        ces cet cette ceux chaque chez ci comme comment contre d dans de depuis des deux donc dont du elle elles en encore
        entre est et été étaient était être eu fait faire font ici il ils j je jusque l la là le les leur leurs lors lui m
        ma mais me même mes moi moins mon n ne ni nos notre nous on ont ou où par parce pas pendant peu peut peuvent plus
        pour pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se sera ses si son sont sous sur ta te tous
        tout toute toutes très tu un une vers vos votre vous y
    """,
    "es": """
        a al algo alguna algunas alguno algunos ante antes así aún aunque bajo bien cada casi como con contra cual cuando
        cuyo de del desde donde dos durante e el él ella ellas ellos en entre era eran es esa esas ese eso esos esta está
        están estas este esto estos fue fueron ha había habían han hasta hay la las le les lo los más me mi mientras muy
        nada ni no nos nosotros nuestra nuestro o otra otras otro otros para pero poco por porque pues que qué quien se sea
        según ser si sí sido sin sino sobre solo son su sus también tan tanto te tiene tienen toda todas todo todos tras tu
        un una unas uno unos usted y ya yo
    """,
    "pt": """
        a à ao aos as às até aquela aquele com como da das de dela dele deles do dos e é ela elas ele eles em entre era eram
        essa esse esta está estão estas este estes eu foi foram há isso isto já lhe mais mas me mesmo meu minha muito na não
        nas nem no nos nós nossa nosso num numa o os ou para pela pelas pelo pelos por porque qual quando que quem se seja
        sem ser seu seus só sobre sua suas também te tem têm ter tudo um uma uns você vocês
    """,
    "it": """
        a ad agli ai al alla alle allo anche ancora avere c che chi ci come con contro cui da dagli dai dal dalla dalle dei
        del della delle dello di dopo dove e è ed era erano essere fa fra fu già gli ha hanno i il in io la là le lei li lo
        loro lui ma me mentre mi mia mio molto ne nei nel nella nelle no noi non nostra nostro o ogni oppure per perché più
        poi prima quale quando quella quelle quelli quello questa queste questi questo qui se sei senza si sia siamo solo
        sono sopra sta stato su sua sue sugli sui sul sulla sulle suo suoi tra tu tutti tutto un una uno va vi voi
    """,
    "nl": """
        aan al alle als altijd andere ben bij daar dan dat de deze die dit doch doen door dus een eens en er ge geen geweest
        haar had heb hebben heeft hem het hier hij hoe hun iemand iets ik in is ja je kan kon kunnen maar me meer men met
        mij mijn moet na naar niet niets nog nu of om omdat onder ons ook op over reeds te tegen toch toen tot u uit uw van
        veel voor want waren was wat we werd wezen wie wij wil worden wordt zal ze zelf zich zij zijn zo zonder zou
    """,
    "ru": """
        а без более бы был была были было быть в вам вас весь во вот все всё всего всех вы где да даже для до его ее её ей
        ему если есть еще ещё же за здесь и из или им их к как ко когда кто ли либо между мне много может мы на над надо нам
        нас не него нее неё нет ни них но ну о об однако он она они оно от очень по под после при про раз с сам себя со так
        также такие такой там те тем то того тоже только том тот ту ты у уже чего чем что чтобы эта эти это этого этой этом
        этот я
    """,
}
_WORDS = {language: frozenset(words.split()) for language, words in _LISTS.items()}
MIN_SHARE = 0.03
"""Of a text's distinct words; function words are less than that of a text in no listed language."""


def language_of(words: Collection[str]) -> str | None:
    """The listed language with the most function words among these lower-case words, or None when hardly any is one."""
    distinct = set(words)
    language, found = max(((name, len(distinct & common)) for name, common in _WORDS.items()), key=lambda pair: pair[1])
    return language if found and found >= MIN_SHARE * len(distinct) else None


def stop_words(words: Collection[str]) -> frozenset[str]:
    """The function words of the language these lower-case words are in; empty for a language not listed."""
    language = language_of(words)
    return _WORDS[language] if language else frozenset()
